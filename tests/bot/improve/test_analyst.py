"""What the analyst makes of the log: groups, fingerprints, evidence."""

from bot.clock import SystemIds
from bot.improve.analyst import Analyst, ripe
from bot.model.feedback import Feedback
from bot.model.run import Run
from bot.model.signature import signature
from tests.conftest import HeldClock
from tests.samples import run as a_run

ANALYST = Analyst("local", HeldClock(), SystemIds())


def said(run: Run, rating: int, words: str = "") -> tuple[Feedback, Run]:
    return Feedback(f"f-{run.id}", "local", run.id, "member", rating, words, "button", 1), run


def asked(question: str, agent: str = "writer") -> Run:
    return a_run(message=question, agent=agent)


def test_bad_ratings_by_agent_and_question() -> None:
    first, second = asked("When do we close?"), asked("when do we close")
    other = asked("When do we close?", "analyst")
    found = ANALYST.complaints([said(first, -1), said(second, -1), said(other, -1)])
    assert [(f.kind, f.agent, f.count) for f in found] == [
        ("feedback", "writer", 2),
        ("feedback", "analyst", 1),
    ]
    assert found[0].evidence == (first.id, second.id)
    assert found[0].detail.startswith('lesson: Asked "when do we close": an answer was rated')
    assert all(map(ripe, found))
    [again] = ANALYST.complaints([said(asked("When do we close??"), -1)])
    assert again.fingerprint == found[0].fingerprint and again.id != found[0].id


def test_praise_and_silence_are_no_finding() -> None:
    run = asked("When do we close?")
    assert ANALYST.complaints([said(run, 1, "great"), said(run, 0, "hm")]) == []


def test_words_are_kept_with_the_question_they_point_at() -> None:
    run = asked('Who is "the boss"?')
    alone, pointing = ANALYST.complaints(
        [said(run, -1, "always answer in French"), said(run, -1, "it is Ada")]
    )
    assert alone.detail == "always answer in French"
    assert pointing.detail == "Asked \"Who is 'the boss'?\": it is Ada"


def test_a_signature_drops_what_varies() -> None:
    first = signature("Run 019a3f00-1111-7222-8333-444455556666 of 'a b' failed after 1,203 ms")
    assert first == signature("run 019a3f00-9999-7222-8333-444455556677 of 'c' failed after 7 ms")
    assert signature("open /var/lib/x.db") == signature("open /home/y/z.db")
    assert signature("") == ""
    assert len(signature("x " * 5000)) <= 300
