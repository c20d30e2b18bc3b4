"""The best that is known about a run decides; missing stays missing."""

from dataclasses import replace

import pytest

from bot.improve import checks
from bot.improve.measure import coverage, wilson
from bot.improve.outcome import Done, checked, outcome_of, rephrased, unjudged
from bot.model.feedback import Feedback
from bot.model.run import Outcome, Run, RunStatus
from bot.model.trial import Arm, Observed
from tests.samples import run as a_run


def said(rating: int, person: str = "member", at: int = 1, source: str = "button") -> Feedback:
    return Feedback(f"{person}{at}", "local", "r", person, rating, "", source, at)


DONE = a_run(status=RunStatus.SUCCEEDED, finished_at=1_780_000_001_000)
FAILED = a_run(status=RunStatus.FAILED, outcome=Outcome(0.0, "error"))


def after(seconds: int, message: str, **changes: str) -> Run:
    return a_run(created_at=DONE.finished_at + seconds * 1000, message=message, **changes)


def test_ratings_before_checks_before_errors_before_guesses() -> None:
    checked = a_run(status=RunStatus.SUCCEEDED, outcome=Outcome(1.0, "check"))
    assert outcome_of(FAILED, [said(1)]) == Outcome(1.0, "rating")
    assert outcome_of(checked, [said(-1)]) == Outcome(0.0, "rating")
    assert outcome_of(checked, []) == Outcome(1.0, "check")
    assert outcome_of(FAILED, []) == Outcome(0.0, "error")
    thanks = after(5, "thanks!")
    assert outcome_of(DONE, [], thanks) == Outcome(0.75, "implicit")
    assert outcome_of(DONE, [said(-1)], thanks) == Outcome(0.0, "rating")


def test_missing_stays_missing() -> None:
    assert outcome_of(DONE, []) == Outcome()
    assert outcome_of(DONE, [said(0)]) == Outcome()
    assert outcome_of(a_run(status=RunStatus.REFUSED), []) == Outcome()
    taken_back = a_run(status=RunStatus.SUCCEEDED, outcome=Outcome(1.0, "rating"))
    assert outcome_of(taken_back, [said(0)]) == Outcome()


def test_each_persons_last_rating_counts() -> None:
    voices = [said(1, at=1), said(-1, at=2, source="reaction"), said(1, "owner", 3)]
    assert outcome_of(DONE, voices) == Outcome(0.5, "rating")


@pytest.mark.parametrize(
    ("following", "expected"),
    [
        (after(30, "how long is the refund window, then?"), Outcome(0.0, "implicit")),
        (after(30, "Thank you, that works."), Outcome(0.75, "implicit")),
        (after(30, "And who signs the lease of the new office?"), Outcome(0.6, "implicit")),
        (after(1500, "Who signs the lease of the new office?"), Outcome(0.6, "implicit")),
        (after(1900, "Who signs the lease of the new office?"), Outcome()),
        (after(30, "And does the refund window begin on delivery?"), Outcome()),
        (after(30, "in hours?"), Outcome()),
        (after(30, "That's wrong, read the contract again"), Outcome(0.0, "implicit")),
        (after(30, "No, that is not what I asked."), Outcome(0.0, "implicit")),
        (after(30, "It doesn't work for parcels"), Outcome(0.0, "implicit")),
        (after(600, "How long is the refund window?"), Outcome()),
        (after(3600, "How long is the refund window?"), Outcome()),
        (after(30, "How long is the refund window?", person="owner"), Outcome()),
        (after(30, "How long is the refund window?", conversation="c2"), Outcome()),
    ],
)
def test_what_the_next_message_says(following: Run, expected: Outcome) -> None:
    assert outcome_of(DONE, [], following) == expected


def test_short_words_are_no_rephrasing() -> None:
    assert not rephrased("yes", "yes")
    assert rephrased("deploy the web app", "please deploy the web app now")


def test_intervals_of_rates() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    low, high = wilson(7, 10)
    assert (round(low, 4), round(high, 4)) == (0.3968, 0.8922)
    assert wilson(5, 5)[1] == 1.0 and wilson(0, 5)[0] == 0.0
    assert coverage(3, 10) == 0.3 and coverage(0, 0) == 0.0


def test_a_trusted_judge_is_heard_last() -> None:
    assert outcome_of(DONE, [], None, 0.4) == Outcome(0.4, "judge")
    assert outcome_of(DONE, [said(1)], None, 0.4) == Outcome(1.0, "rating")
    assert outcome_of(DONE, [], after(5, "thanks!"), 0.4) == Outcome(0.75, "implicit")
    judged = replace(DONE, outcome=Outcome(0.4, "judge"))
    assert outcome_of(judged, []) == Outcome(0.4, "judge")
    assert outcome_of(judged, [], after(5, "thanks!")) == Outcome(0.75, "implicit")
    assert outcome_of(FAILED, [], None, 0.9) == Outcome(0.0, "error")


def test_a_hundred_changes_of_mind_are_one_vote() -> None:
    flips = [said((-1) ** n, at=n, source=f"way{n % 3}") for n in range(100)]
    assert outcome_of(DONE, flips) == Outcome(0.0, "rating")
    assert outcome_of(DONE, [*flips, said(1, "owner", 200)]) == Outcome(0.5, "rating")


def test_a_tool_that_failed_at_last_fails_the_answer() -> None:
    assert checked("Sorry.", Done({"http_fetch"}, "tool")) == Outcome(0.0, "check")
    assert checked("It is 30 days.", Done({"http_fetch", "recall"}, "")) == Outcome()


RUNBOOK = """# Refunds
Look the window up.

## Check
- contains: refund
- matches: within # days * delivery
- at most: 20 words
- uses: recall

## For requests like
> refunds
"""


@pytest.mark.parametrize(
    ("answer", "used", "y"),
    [
        ("A refund is paid within 30 days of delivery.", {"recall"}, 1.0),
        ("A REFUND is paid within  14 days after the delivery", {"recall", "calculator"}, 1.0),
        ("A refund is paid within 30 days of delivery.", set(), 0.0),
        ("A refund is paid within some days of delivery.", {"recall"}, 0.0),
        ("It is paid within 30 days of delivery.", {"recall"}, 0.0),
        ("A refund is paid within 30 days of delivery." + " So it is." * 9, {"recall"}, 0.0),
    ],
)
def test_a_runbooks_own_check(answer: str, used: set[str], y: float) -> None:
    assert checked(answer, Done(used, "", [RUNBOOK])) == Outcome(y, "check")
    assert checked(answer, Done(used, "", ["# Other", RUNBOOK])) == Outcome(y, "check")


def test_a_runbook_that_checks_nothing_says_nothing() -> None:
    text = "# R\n## Check\n- the answer is nice\n- rm: -rf /\n- at most: many words\n"
    assert checks.parse(text) == () and len(checks.faults(text)) == 3
    assert checked("Well.", Done(set(), "", [text])) == Outcome()
    assert checks.faults(RUNBOOK) == []


def test_no_pattern_takes_longer_than_its_text() -> None:
    """A backtracking one would never end."""
    pattern = "- matches: " + "*a" * 90 + "b"
    condition = checks.parse(f"## Check\n{pattern}\n")
    assert not checks.passes(condition, "a" * 50_000, ())
    assert not checks.passes(checks.parse("## Check\n- matches: # # # x\n"), "1" * 50_000, ())


def test_nothing_is_learned_where_terms_forbid_it() -> None:
    quiet = replace(DONE, channel="whatsapp", outcome=Outcome(1.0, "check"))
    assert outcome_of(quiet, [said(1)], after(5, "thanks!"), 0.9) == Outcome()


def test_a_trial_leaves_out_what_only_an_untrusted_judge_said() -> None:
    seen = [
        Observed("r1", 1, "u1", "member", Arm.CANDIDATE, 0.5, 0.9, "judge"),
        Observed("r2", 2, "u2", "member", Arm.INCUMBENT, 0.5, 1.0, "rating"),
    ]
    assert [(one.y, one.source) for one in unjudged(seen)] == [(None, ""), (1.0, "rating")]
