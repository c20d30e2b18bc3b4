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


def test_bad_ratings_without_words_by_agent_and_version() -> None:
    first, second = asked("When do we close?"), asked("And who is Ada?")
    other = asked("When do we close?", "analyst")
    found = ANALYST.complaints([said(first, -1), said(second, -1), said(other, -1)])
    assert [(f.kind, f.agent, f.count, f.people) for f in found] == [
        ("disliked", "writer", 2, 1),
        ("disliked", "analyst", 1, 1),
    ]
    assert found[0].evidence == (first.id, second.id)
    assert found[0].detail.endswith('The last one was to "And who is Ada?".')
    assert not any(map(ripe, found))
    [again] = ANALYST.complaints([said(asked("When do we close??"), -1, "  ")])
    assert again.fingerprint == found[0].fingerprint and again.id != found[0].id
    three = [said(asked(f"What is {n}?"), -1) for n in range(3)]
    assert ripe(ANALYST.complaints(three)[0])


def test_bad_ratings_with_words_by_what_they_say() -> None:
    runs = [asked("When do we close?"), asked("Who is Ada?")]
    [found] = ANALYST.complaints([said(run, -1, "Be more precise!") for run in runs])
    assert (found.kind, found.count) == ("feedback", 2) and ripe(found)


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
