"""A trial in words: what a person reads who knows no statistics."""

from dataclasses import replace

import pytest

from bot.improve.trials import telling
from bot.improve.trials.figures import Figures, read
from bot.model.proposal import Change, Proposal, ProposalKind, ProposalStatus
from bot.model.trial import Trial, TrialStatus

NUMBERS = {
    "phase": "even",
    "runs": 119,
    "cap": 200,
    "home_runs": 3,
    "people": 9,
    "arms": {
        "candidate": {"runs": 70, "scored": 58, "sittings": 58, "failed": 0, "mean": 0.81},
        "incumbent": {"runs": 75, "scored": 61, "sittings": 61, "failed": 2, "mean": 0.66},
    },
    "difference": 0.15,
    "low": 0.04,
    "high": 0.26,
    "up": 23.4,
    "down": 0.2,
    "promote_at": 20.0,
    "roll_back_at": 5.0,
    "posterior": 0.9712,
    "latency": {"incumbent": 1400.0, "candidate": 1204.0, "n_incumbent": 75, "n_candidate": 70},
    "cost": {"incumbent": 0.002, "candidate": 0.00201, "n_incumbent": 75, "n_candidate": 70},
}
DAY = 86_400_000
TRIAL = Trial(
    id="t",
    workspace="local",
    number=3,
    proposal="P12",
    title="Teach writer: sign it",
    overlay={"writer": 3},
    base={"writer": 2},
    status=TrialStatus.KEPT,
    mode="balanced",
    created_at=1,
    share=0.5,
    started_at=1,
    ends_at=14 * DAY,
    ended_at=6 * DAY,
    reason="better",
    numbers=NUMBERS,
)
PROPOSAL = Proposal(
    id="p",
    workspace="local",
    number=12,
    kind=ProposalKind.AGENT_CONFIG,
    status=ProposalStatus.KEPT,
    title="Teach writer: sign it",
    change=Change(agent="writer", bullet="sign it"),
    base_version=2,
    diff="",
    evidence=(),
    expected="",
    risk="approver",
    fingerprint="f",
    created_at=1,
    expires_at=2,
)


def test_a_verdict_says_what_stays_and_over_how_much_it_was_measured() -> None:
    said = telling.verdict(TRIAL, PROPOSAL)
    assert said.text.splitlines() == [
        "✅ **P12** (Teach writer: sign it) stays: writer v3 is in use. Answers were better with it.",
        "- Good answers: 81% (58 of 70 runs have an outcome) with it, "
        "66% (61 of 75 runs have an outcome) without.",
        "- The difference lies between +4 and +26 points. Without a real effect, chance gets this "
        "far in 1 of 20 trials at most.",
        "- Time: 1.2 s with it, 1.4 s without (14% faster).",
        "- Cost of an answer: $0.0020 with it, $0.0020 without (the same).",
        "- Failed: 0 of 70 with it, 2 of 75 without.",
        "- 58 conversations got it, 61 got what was in use in 6 days. Where it was asked for it was "
        "given at once; that isn't counted.",
        "If you see it otherwise, `/rollback P12` takes it back.",
    ]
    assert [b.command for b in said.buttons] == ["/rollback P12", "/trial T3"]


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("harm", "Answers got worse with it"),
        ("errors", "Runs failed with it"),
        ("latency", "took much longer"),
        ("cost", "cost much more"),
        ("contradiction", "what programs checked got worse"),
        ("cap", "That is not enough to tell, and then the old version stays"),
        ("time", "That is not enough to tell, and then the old version stays"),
        ("thin", "Not enough data yet"),
        ("missing", "missing on one side"),
        ("one_person", "what one person said"),
        ("some_new_code", "some_new_code"),
    ],
)
def test_every_way_it_goes_has_words(reason: str, words: str) -> None:
    gone = replace(TRIAL, status=TrialStatus.ROLLED_BACK, reason=reason)
    said = telling.verdict(gone, PROPOSAL)
    assert "↩️ **P12** (Teach writer: sign it) goes: writer stays at v2." in said.text
    assert words in said.text
    assert [b.command for b in said.buttons] == ["/trial T3"]


@pytest.mark.parametrize("reason", ["edited", "protected", "gone"])
def test_one_without_a_verdict_claims_nothing(reason: str) -> None:
    said = telling.verdict(replace(TRIAL, status=TrialStatus.STOPPED, reason=reason), PROPOSAL)
    assert "without a verdict" in said.text and "Good answers" not in said.text


def test_likely_is_not_called_certain() -> None:
    said = telling.verdict(replace(TRIAL, reason="likely"), PROPOSAL).text
    assert "better with a probability of 97%" in said
    sure = {**NUMBERS, "posterior": 0.99999}
    said = telling.verdict(replace(TRIAL, reason="likely", numbers=sure), PROPOSAL).text
    assert "probability of 99%" in said


def test_nothing_measured_is_said_so() -> None:
    bare = replace(TRIAL, status=TrialStatus.ROLLED_BACK, reason="thin", numbers={})
    said = telling.verdict(bare, PROPOSAL).text
    assert "Nobody got it while it was tried" in said and "not known" in said
    assert read({}) == Figures()
    assert read({"arms": 3, "path": "x", "up": "y"}) == Figures()


def test_a_new_agent_and_one_that_leaves_are_said_so() -> None:
    moved = replace(TRIAL, overlay={"lawyer": 1, "clerk": 0}, base={"lawyer": 0, "clerk": 2})
    assert telling.in_use(moved) == "lawyer v1 is in use and clerk has left"
    assert telling.stays(moved) == "lawyer isn't added and clerk stays at v2"


def test_a_list_says_how_far_each_is() -> None:
    running = replace(TRIAL, status=TrialStatus.RUNNING, reason="")
    assert telling.standing(running, 5 * DAY) == (
        "**T3** P12 Teach writer: sign it: 119 of 200 runs, 50% of new conversations get it, "
        "9 days left"
    )
    told = telling.details(running, 5 * DAY)
    for words in ("writer v2 → v3 (balanced)", "58 of 70 with it", "+15 points (+4 to +26)"):
        assert words in told
    assert "23.4 (stays at 20)" in told and "3 runs where it was asked for" in told
