"""What ends a trial whatever people say of it."""

import random
from dataclasses import replace

import pytest

from bot.improve.rules import Verdict
from bot.improve.verdicts import RULES
from bot.improve.verdicts.evidence import gather
from bot.improve.verdicts.guards import broken, petty
from bot.model.trial import Arm, Observed
from tests.bot.improve.verdicts.trials import DAY_MS, PEOPLE, a_trial, observed, replayed, runs

STRICT = RULES["strict"]


def looked(seen: list[Observed], **trial: object) -> tuple[Verdict, str]:
    look = STRICT.look(a_trial(**trial), seen, None, 2)
    return look.verdict, look.why


def fail(run: Observed) -> Observed:
    return replace(run, failed=True, y=0.0, source="error")


@pytest.mark.parametrize("before", [0, 18, 150])
def test_a_candidate_that_cannot_run_is_gone_after_two_or_three(before: int) -> None:
    seen = runs(before, (0.7, 0.9), seed=5)
    alone = [fail(observed(900 + n, True)) for n in range(3)]
    assert looked([*seen, *alone]) == (Verdict.ROLL_BACK, "errors")
    meanwhile = [alone[0], observed(950), alone[1]]
    assert looked([*seen, *meanwhile]) == (Verdict.ROLL_BACK, "errors")


def test_in_the_smoke_phase_too_and_where_the_change_was_asked_for() -> None:
    seen = [observed(n, propensity=0.1) for n in range(12)]
    gone = [fail(observed(20 + n, True, propensity=p)) for n, p in enumerate((1.0, 0.1))]
    assert looked([*seen, *gone]) == (Verdict.GO_ON, "")
    assert looked([*seen, *gone, observed(30)]) == (Verdict.ROLL_BACK, "errors")


def test_where_everything_fails_it_is_not_the_candidate() -> None:
    seen = runs(40, (0.8, 0.8), seed=3)
    outage = [fail(observed(100 + n, n % 2 == 1)) for n in range(8)]
    assert not broken([*seen, *outage])


def test_where_failing_is_usual_two_in_a_row_say_nothing() -> None:
    seen = [
        fail(run) if n % 5 == 0 else run
        for n, run in enumerate(observed(n, n % 2 == 1) for n in range(60))
    ]
    tail = [fail(observed(70, True)), observed(71), fail(observed(72, True))]
    assert not broken([*seen, *tail])


def test_more_failures_over_time_are_found() -> None:
    def sometimes(run: Observed, chance: random.Random) -> Observed:
        return replace(
            run, failed=chance.random() < (0.35 if run.arm is Arm.CANDIDATE else 0.01), y=None
        )

    seen = runs(200, (0.7, 0.7), change=sometimes)
    assert looked(seen) == (Verdict.ROLL_BACK, "errors")


@pytest.mark.parametrize(("name", "cap"), [("latency_ms", 4000.0), ("cost_usd", 0.02)])
def test_slower_or_dearer_goes_however_good(name: str, cap: float) -> None:
    def spends(run: Observed, chance: random.Random) -> Observed:
        part = chance.uniform(0.2, 0.4) + 0.4 * (run.arm is Arm.CANDIDATE)
        return replace(run, **{name: cap * part})  # type: ignore[arg-type]

    seen = runs(100, (0.75, 0.8), change=spends)
    why = name.partition("_")[0]
    assert looked(seen, caps={name: cap}) == (Verdict.ROLL_BACK, why)
    assert looked(seen)[1] != why


@pytest.mark.parametrize(
    ("name", "cap", "why"),
    [
        ("latency_ms", 900.0, ""),
        ("latency_ms", 2400.0, "latency"),
        ("cost_usd", 0.0006, ""),  # $0.00024 a run more, and 100 runs in a day
        ("cost_usd", 0.006, "cost"),
    ],
)
def test_more_of_next_to_nothing_is_no_reason(name: str, cap: float, why: str) -> None:
    def spends(run: Observed, chance: random.Random) -> Observed:
        part = chance.uniform(0.2, 0.4) + 0.4 * (run.arm is Arm.CANDIDATE)
        return replace(run, **{name: cap * part})  # type: ignore[arg-type]

    assert looked(runs(100, (0.75, 0.8), change=spends), caps={name: cap})[1] == why


@pytest.mark.parametrize(("a_day", "small"), [(100, True), (400, True), (450, False)])
def test_little_often_is_not_little(a_day: int, small: bool) -> None:
    """A quarter of a tenth of a cent more for each."""
    seen = [
        observed(n, bool(n % 2), at=n * DAY_MS // a_day, cost_usd=0.0002 + 0.00024 * (n % 2))
        for n in range(3 * a_day)
    ]
    assert petty(seen, "cost_usd") is small
    assert not petty([replace(run, cost_usd=0.01) for run in seen], "cost_usd")


def test_people_who_praise_what_checks_find_worse_keep_nothing() -> None:
    def brigaded(run: Observed, chance: random.Random) -> Observed:
        candidate = run.arm is Arm.CANDIDATE
        if chance.random() < 0.5:
            return replace(run, y=1.0 if candidate else 0.2, source="rating")
        return replace(run, y=float(chance.random() < (0.3 if candidate else 0.9)), source="check")

    for rule in RULES.values():
        seen = runs(200, (0.0, 0.0), change=brigaded)
        for until in range(1, len(seen) + 1):
            look = rule.look(a_trial(), seen[:until], None, 2)
            assert look.verdict is not Verdict.KEEP
            if look.verdict is Verdict.ROLL_BACK:
                break
        assert look.why == "contradiction"


def test_one_of_six_does_not_promote_by_voting() -> None:
    def votes(run: Observed, chance: random.Random) -> Observed:
        if run.person == "owner":
            return replace(run, y=float(run.arm is Arm.CANDIDATE))
        return run

    for seed in range(5):
        crowd = random.Random(seed).choices(PEOPLE, (15, 1, 1, 1, 1, 1), k=200)
        seen = runs(200, (0.7, 0.7), seed=seed, people=crowd, change=votes)
        looks = [STRICT.look(a_trial(), seen[:n], None, 2) for n in range(10, 201, 10)]
        assert Verdict.KEEP not in [look.verdict for look in looks]


def test_a_quarter_of_the_people_cannot_vote_a_harmful_change_in() -> None:
    people = tuple(f"p{n}" for n in range(12))

    def votes(run: Observed, chance: random.Random) -> Observed:
        if run.person in people[:3]:
            return replace(run, y=float(run.arm is Arm.CANDIDATE))
        return run

    for rule in RULES.values():
        for seed in range(4):
            seen = runs(150, (0.75, 0.55), seed=seed, people=people, change=votes)
            looks = [rule.look(a_trial(), seen[:n], replayed(-0.1), 2) for n in range(30, 151, 10)]
            assert Verdict.KEEP not in [look.verdict for look in looks]


def test_people_who_differ_make_the_difference_less_sure() -> None:
    people = tuple(f"p{n}" for n in range(12))

    def split(run: Observed, chance: random.Random) -> Observed:
        loves = run.person in people[:3]
        good = chance.random() < (1.0 if loves and run.arm is Arm.CANDIDATE else 0.5)
        return replace(run, y=float(good and (not loves or run.arm is Arm.CANDIDATE)))

    seen = runs(400, (0, 0), people=people, change=split)
    alone = [replace(run, person="owner") for run in seen]
    of_many, of_one = (gather(a_trial(), each).success.estimate for each in (seen, alone))
    assert of_many is not None
    assert of_one is not None
    assert of_many.error > 1.2 * of_one.error


def test_one_of_one_promotes() -> None:
    seen = runs(400, (0.5, 0.9), people=("owner",))
    assert looked(seen) == (Verdict.KEEP, "better")
