"""The best that is known about a run decides; missing stays missing."""

import pytest

from bot.improve.measure import coverage, wilson
from bot.improve.outcome import outcome_of, rephrased
from bot.model.feedback import Feedback
from bot.model.run import Outcome, Run, RunStatus
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
        (after(30, "And who signs the lease of the new office?"), Outcome()),
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
