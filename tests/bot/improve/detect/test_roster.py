"""Agents nobody needs, two that do the same, lessons that help or harm, answers that were liked."""

from dataclasses import replace

import pytest

from bot.improve.detect import roster
from bot.model.agent import AgentVersion, Bullet
from tests.bot.improve.detect.samples import T, at_once, closed, in_pages

DAY = 86_400_000
WRITER = AgentVersion("writer", 1, "Letters and reports in plain words", "You write letters.")


def test_an_agent_says_how_long_it_may_be_spared() -> None:
    special = replace(WRITER, name="special", retire_after_days=30)
    known = {"special": T, "writer": T}
    agents = [(special, T - DAY), (WRITER, T)]
    assert roster.unused(known, agents, T + 29 * DAY) == []
    [seen] = roster.unused(known, agents, T + 30 * DAY)
    assert (seen.agent, seen.facts["days"]) == ("special", 30)
    [never] = roster.unused({}, [(special, T)], T + 31 * DAY)
    assert never.facts["days"] == 31


def test_two_that_are_described_alike_do_the_same() -> None:
    twin = replace(WRITER, name="twin", instructions="You write letters well.")
    other = AgentVersion("analyst", 1, "Numbers, tables and forecasts", "You calculate.")
    known, _ = at_once(roster.fold, [closed(n) for n in range(5)])
    [seen] = roster.duplicates([other, twin, WRITER], {"twin": T}, known)
    assert (seen.facts["stays"], seen.facts["goes"]) == ("writer", "twin")
    assert seen.confidence >= 0.7


def test_a_lesson_that_harms_is_seen_in_the_versions_that_have_it() -> None:
    taught = replace(WRITER, version=2, playbook=(Bullet("b1", "shout"),))
    runs = [closed(n, version=1, y=float(n % 10 > 0)) for n in range(200)]
    runs += [closed(n, version=2, y=float(n % 2)) for n in range(200, 400)]
    known, _ = at_once(roster.fold, runs)
    tried = replace(taught, version=3, playbook=())
    rows = roster.lessons(known["writer"], taught, [WRITER, taught, tried])
    assert rows == {"b1": [200, 100.0, 200, 180.0]}
    assert roster.harmful(rows) == "b1"
    seen = roster.harm(taught, "b1", rows["b1"], known["writer"], {2})
    assert (seen.kind, seen.agent, seen.count) == ("lesson", "writer", 200)
    assert (seen.facts["success"], seen.facts["baseline"]) == (0.5, 0.9)
    assert len(seen.evidence) == 10 and set(seen.evidence) <= {run.id for run in runs[200:]}
    assert roster.lessons({}, WRITER, []) == {}


def test_a_lesson_is_not_blamed_for_little_nor_for_what_all_share() -> None:
    for row in ([5, 2.0, 5, 4.0], [0, 0.0, 90, 80.0], [90, 80.0, 0, 0.0], [29, 0.0, 29, 29.0]):
        assert not roster.harmful({"b1": row})
    worse = [60, 37.0, 60, 53.0]
    assert roster.harmful({"b1": worse}) == "b1"
    assert roster.harmful({f"b{n}": worse for n in range(20)}) == ""


def test_an_answer_that_was_liked_is_worth_keeping() -> None:
    runs = [closed(n, source="rating") for n in range(9)] + [closed(10, source="rating", y=0.0)]
    known, _ = at_once(roster.fold, runs)
    said = {
        runs[6].id: ("When do we close?", "At seven."),
        runs[7].id: ("", ""),
        runs[8].id: ("When do we close?", "At six."),
        runs[5].id: ("Who has the key?", "The owner."),
    }
    other, seen = roster.praise(known, said, ["writer", "nobody"])
    assert (seen.kind, seen.evidence) == ("praise", (runs[6].id, runs[8].id))
    assert (seen.count, other.count) == (2, 1)
    assert seen.facts == {"asked": "When do we close?", "answer": "At six."}


@pytest.mark.parametrize("size", [1, 7, 60])
def test_any_pages_come_to_the_same(size: int) -> None:
    runs = [
        closed(n, agent=f"a{n % 3}", version=n // 20 + 1, source=("rating", "check")[n % 2])
        for n in range(60)
    ]
    assert in_pages(roster.fold, runs, size) == at_once(roster.fold, runs)
