"""When a trial goes on, when it ends, and with what."""

import json
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.improve.eprocess import PROMOTE
from bot.improve.rules import Rule, Verdict
from bot.improve.verdicts import RULES
from bot.improve.verdicts.sittings import process, sittings, weigh
from bot.model.trial import Arm, Observed
from tests.bot.improve.verdicts.trials import DAY_MS, a_trial, observed, replayed, runs

BALANCED, STRICT = RULES["balanced"], RULES["strict"]


def test_it_is_named_as_it_is_registered() -> None:
    assert {name: rule.name for name, rule in RULES.items()} == {
        "balanced": "balanced",
        "strict": "strict",
    }


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_few_runs_at_a_tenth_then_half(rule: Rule) -> None:
    tried = [observed(n, n == 3, propensity=0.1) for n in range(20)]
    shares = [rule.look(a_trial(), tried[:n], None, 2).share for n in (0, 19, 20)]
    assert shares == [0.1, 0.1, 0.5]
    untried = [observed(n, propensity=0.1) for n in range(40)]
    assert [rule.look(a_trial(), untried[:n], None, 2).share for n in (39, 40)] == [0.1, 0.5]


def test_much_better_is_kept_before_the_cap() -> None:
    look = STRICT.look(a_trial(), runs(300, (0.5, 0.9)), None, 2)
    assert (look.verdict, look.why) == (Verdict.KEEP, "better")


def test_much_worse_is_rolled_back_early() -> None:
    look = BALANCED.look(a_trial(), runs(60, (0.9, 0.3)), replayed(0.3), 2)
    assert (look.verdict, look.why) == (Verdict.ROLL_BACK, "harm")


def test_a_cheaper_model_stays_where_it_is_not_much_worse() -> None:
    seen = runs(590, (0.85, 0.85), seed=7)
    assert STRICT.look(a_trial(margin=0.15), seen, None, 2).why == "not_worse"
    assert STRICT.look(a_trial(), seen, None, 2).verdict is Verdict.GO_ON


def test_at_the_cap_strict_keeps_what_it_had() -> None:
    seen = runs(600, (0.7, 0.72))
    assert STRICT.look(a_trial(), seen[:599], None, 2).verdict is Verdict.GO_ON
    look = STRICT.look(a_trial(), seen, replayed(0.3), 2)
    assert (look.verdict, look.why) == (Verdict.ROLL_BACK, "cap")


def test_balanced_takes_what_is_likely_once_it_was_seen_for_a_while() -> None:
    seen = runs(200, (0.7, 0.86), scored=0.5, seed=6)
    assert BALANCED.look(a_trial(), seen[:199], replayed(0.2), 2).verdict is Verdict.GO_ON
    assert BALANCED.look(a_trial(), seen, replayed(0.2), 2).why == "likely"
    assert BALANCED.look(a_trial(), seen, replayed(-0.2), 2).verdict is not Verdict.KEEP


def test_what_is_open_goes_on_for_longer_unless_another_waits() -> None:
    seen = runs(600, (0.74, 0.76), seed=4)
    open_, over = (BALANCED.look(a_trial(), seen[:n], None, 2) for n in (250, 600))
    assert (open_.verdict, open_.gives_way) == (Verdict.GO_ON, True)
    assert (over.verdict, over.why) == (Verdict.ROLL_BACK, "cap")
    likely = BALANCED.look(a_trial(), runs(250, (0.7, 0.78), seed=5), None, 2)
    assert (likely.verdict, likely.gives_way) == (Verdict.GO_ON, False)


def test_what_is_most_likely_not_better_goes_before_it_has_done_harm() -> None:
    seen = runs(90, (0.75, 0.68), seed=6)
    look = BALANCED.look(a_trial(), seen, replayed(-0.1, error=0.03), 2)
    assert (look.verdict, look.why) == (Verdict.ROLL_BACK, "hopeless")
    few = BALANCED.look(a_trial(), seen[:59], replayed(-0.1, error=0.03), 2)
    assert few.verdict is Verdict.GO_ON


def test_after_fourteen_days_it_ends_with_what_there_is() -> None:
    seen = runs(60, (0.7, 0.85), seed=2)
    late, early = 14 * DAY_MS + 1, 14 * DAY_MS
    assert BALANCED.look(a_trial(), seen, replayed(0.2), early).verdict is Verdict.GO_ON
    assert BALANCED.look(a_trial(), seen, replayed(0.2), late).verdict is Verdict.KEEP
    assert STRICT.look(a_trial(), seen, replayed(0.2), late).why == "time"
    assert STRICT.look(a_trial(ends_at=5), seen, replayed(0.2), 6).why == "time"


def test_what_replay_praises_and_the_trial_does_not_is_not_kept() -> None:
    seen = runs(200, (0.75, 0.72), seed=4)
    assert BALANCED.look(a_trial(), seen, replayed(0.4, 0.02), 2).verdict is Verdict.GO_ON
    look = BALANCED.look(a_trial(ends_at=5), seen, replayed(0.4, error=0.02), 6)
    assert (look.verdict, look.why) == (Verdict.ROLL_BACK, "unconfirmed")
    assert look.numbers["posterior"] == pytest.approx(1.0, abs=0.05)


def test_better_live_and_worse_replayed_waits_for_the_cap() -> None:
    seen = runs(199, (0.6, 0.85))
    agreed, not_agreed = (
        BALANCED.look(a_trial(), seen, replayed(mean, 0.03), 2) for mean in (0.1, -0.15)
    )
    assert (agreed.verdict, agreed.why) == (Verdict.KEEP, "better")
    assert (not_agreed.verdict, not_agreed.why) == (Verdict.GO_ON, "")


def test_when_the_runs_were_does_not_matter() -> None:
    seen = runs(150, (0.5, 0.8))
    jumped = [replace(run, at=(7 - n) * DAY_MS) for n, run in enumerate(seen)]
    for now in (-5, 2):
        look = BALANCED.look(a_trial(), jumped, None, now)
        assert look == BALANCED.look(a_trial(), seen, None, 2)


def test_hardly_anything_known_is_not_likely() -> None:
    seen = runs(8, (0.7, 0.85), seed=2)
    assert BALANCED.look(a_trial(ends_at=5), seen, replayed(0.3), 6).why == "thin"


def test_where_one_arm_is_known_much_better_nothing_is_likely() -> None:
    def silent(run: Observed, chance: random.Random) -> Observed:
        known = chance.random() < (0.9 if run.arm is Arm.INCUMBENT else 0.35)
        return run if known else replace(run, y=None)

    seen = runs(200, (0.7, 0.9), change=silent)
    assert BALANCED.look(a_trial(), seen, replayed(0.2), 2).verdict is Verdict.GO_ON
    look = BALANCED.look(a_trial(ends_at=5), seen, replayed(0.2), 6)
    assert (look.verdict, look.why) == (Verdict.ROLL_BACK, "missing")
    assert look.numbers["coverage_differs"] is True


def test_what_one_person_alone_says_is_not_likely() -> None:
    def praises(run: Observed, chance: random.Random) -> Observed:
        if run.person == "owner":
            return replace(run, y=float(run.arm is Arm.CANDIDATE))
        return replace(run, y=float(chance.random() < 0.7))

    seen = runs(200, (0.0, 0.0), seed=1, people=("owner", "member", "guest"), change=praises)
    look = BALANCED.look(a_trial(), seen, None, 2)
    assert look.verdict is not Verdict.KEEP


def test_where_the_change_was_asked_for_counts_for_nothing() -> None:
    home = [observed(n, True, unit="home", propensity=1.0, y=1.0) for n in range(500)]
    look = BALANCED.look(a_trial(), home, None, 2)
    assert look.verdict is Verdict.GO_ON
    assert look.numbers["home_runs"] == 500
    assert (look.numbers["runs"], look.numbers["up"]) == (0, 1.0)


@pytest.mark.parametrize("seen", [[], runs(1, (1, 1)), runs(500, (0.6, 0.7), scored=0.5)])
def test_the_numbers_are_json_and_few(seen: list[Observed]) -> None:
    numbers = BALANCED.look(a_trial(caps={"cost_usd": 1.0}), seen, replayed(0.1), 2).numbers
    assert json.loads(json.dumps(numbers)) == numbers
    path = numbers["path"]
    assert isinstance(path, list)
    assert 1 <= len(path) <= 200
    assert path[-1][1:] == [numbers["up"], numbers["down"]]


def test_the_numbers_say_what_was_seen() -> None:
    def spends(run: Observed, chance: random.Random) -> Observed:
        return replace(run, latency_ms=1500.0 if run.arm is Arm.CANDIDATE else 1000.0)

    seen = runs(100, (0.5, 0.9), scored=0.5, change=spends)
    numbers = STRICT.look(a_trial(), seen, None, 2).numbers
    arms = numbers["arms"]
    assert isinstance(arms, dict)
    mine = [run for run in seen if run.arm is Arm.CANDIDATE]
    known = [run.y for run in mine if run.y is not None]
    assert arms["candidate"] == {
        "runs": len(mine),
        "scored": len(known),
        "sittings": len(mine),
        "failed": 0,
        "mean": pytest.approx(sum(known) / len(known)),
        "coverage": len(known) / len(mine),
    }
    assert numbers["low"] < numbers["difference"] < numbers["high"]  # type: ignore[operator]
    assert numbers["latency"]["ratio"] == 1.5  # type: ignore[index]


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.integers(0, 5)), max_size=60))
def test_the_same_runs_give_the_same_look(drawn: list[tuple[int, bool, int]]) -> None:
    seen = [
        observed(n, unit % 2 == 0, unit=f"c{unit}", y=float(good), person=f"p{person}")
        for n, (unit, good, person) in enumerate(drawn)
    ]
    first = BALANCED.look(a_trial(), seen, None, 2)
    assert BALANCED.look(a_trial(), list(seen), None, 2) == first


def test_a_rating_that_comes_late_counts_where_the_run_was() -> None:
    seen = runs(120, (0.5, 0.8), seed=9)
    waiting = [replace(run, y=None) if n % 3 else run for n, run in enumerate(seen)]
    assert (
        STRICT.look(a_trial(), waiting, None, 2).numbers["arms"]
        != (STRICT.look(a_trial(), seen, None, 2).numbers["arms"])
    )
    again = [was if was.y is not None else now for was, now in zip(waiting, seen, strict=True)]
    assert STRICT.look(a_trial(), again, None, 2) == STRICT.look(a_trial(), seen, None, 2)


def test_late_and_missing_ratings_promote_no_more_than_chance() -> None:
    chance, promoted = random.Random(11), 0
    for trial in range(200):
        seen = runs(160, (0.7, 0.7), seed=trial, scored=0.6)
        known_at = [n + chance.randrange(60) for n in range(len(seen))]
        for now in range(40, 161, 20):
            known = [
                run if known_at[n] <= now else replace(run, y=None)
                for n, run in enumerate(seen[:now])
            ]
            wealth = process(list(weigh(sittings(known), lambda run: run.y)))
            if wealth.up >= PROMOTE:
                promoted += 1
                break
    assert promoted / 200 <= 0.05
