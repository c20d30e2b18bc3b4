"""A version that succeeds less is noticed soon, and one that doesn't hardly ever."""

import random
from statistics import median
from typing import Any

import pytest

from bot.improve.detect import success
from bot.ports.stores import Closed
from tests.bot.improve.detect.samples import MINUTE, Fold, T, at_once, closed, in_pages, tossed

FOLD: Fold = success.fold


def _alarm(runs: list[Closed]) -> int:
    """How many runs it took, 0 where it never fired."""
    known: dict[str, Any] = {}
    for number, run in enumerate(runs, 1):
        if FOLD(known, [run]):
            return number
    return 0


def test_a_fall_from_85_to_65_is_noticed_after_a_median_of_45_runs() -> None:
    took, before = [], 300
    for seed in range(150):
        rates = [0.85] * before + [0.65] * 400
        number = _alarm(list(tossed(random.Random(seed), rates)))
        took += [number - before] if number > before or not number else []
    assert len(took) > 120
    assert median(took) <= 45


@pytest.mark.parametrize("rate", [0.5, 0.85, 0.95])
def test_it_takes_5000_runs_on_average_to_a_false_alarm(rate: float) -> None:
    """A short count of what the benchmark counts for long."""
    alarms, runs = 0, 30_000
    known: dict[str, Any] = {}
    for run in tossed(random.Random(7), [rate] * runs):
        if FOLD(known, [run]):
            alarms, known = alarms + 1, {}
    assert alarms <= runs / 5_000


def test_a_version_that_rose_above_what_it_inherited_is_held_to_what_it_reached() -> None:
    """From .60 to .85 and back to .65: by the mean of all times nothing would have fallen."""
    took = []
    for seed in range(40):
        chance = random.Random(seed)
        before = list(tossed(chance, [0.6] * 300))
        risen = [r._replace(version=2) for r in tossed(chance, [0.85] * 250 + [0.65] * 200)]
        number = _alarm(before + risen)
        took += [number - 550] if number > 550 else []
    assert len(took) > 30
    assert median(took) <= 80


def test_what_was_kept_before_rises_were_looked_for_is_read() -> None:
    runs = list(tossed(random.Random(5), [0.9] * 150 + [0.4] * 100))
    known: dict[str, Any] = {}
    FOLD(known, runs[:150])
    for at in known["writer"].values():
        del at["up"], at["again"]
    assert FOLD(known, runs[150:])


def test_candidates_that_failed_their_trials_push_out_nobody() -> None:
    """Versions 2 to 9 were each tried beside version 1, which stayed, and is worse in the end."""
    chance, runs = random.Random(5), list[Closed]()
    for version in range(2, 10):
        for run in tossed(chance, [0.9] * 40):
            runs += [run, run._replace(version=version)]
    fallen = list(tossed(chance, [0.3] * 60))
    known, seen = in_pages(success.fold, [*runs, *fallen], 50)
    assert [(one.agent, one.facts["version"]) for one in seen] == [("writer", 1)]
    assert len(known["writer"]) <= 4


def test_a_new_version_is_measured_against_the_one_before() -> None:
    chance = random.Random(3)
    old = list(tossed(chance, [0.9] * 200))
    new = [
        run._replace(id=f"n{run.id}", version=2, created_at=run.created_at + 200 * MINUTE)
        for run in tossed(chance, [0.5] * 60)
    ]
    _, [seen] = at_once(success.fold, old + new)
    assert (seen.agent, seen.facts["version"]) == ("writer", 2)
    assert seen.facts["first"] == T + 200 * MINUTE
    assert seen.facts["since"] == T + (200 + int(str(seen.facts["earlier"]))) * MINUTE
    assert int(str(seen.facts["earlier"])) <= 3
    assert set(seen.evidence) <= {run.id for run in new if run.y == 0}
    assert seen.people > 1 and seen.confidence > 0.99 and seen.usd_week > 0
    assert "writer v2 succeeds less" in seen.title


def test_runs_without_an_outcome_and_without_an_agent_say_nothing() -> None:
    runs = [closed(n, y=None) for n in range(9)] + [closed(9, agent="", y=0.0)]
    assert at_once(success.fold, runs) == ({}, [])


@pytest.mark.parametrize("size", [1, 7, 100])
def test_any_pages_come_to_the_same(size: int) -> None:
    runs = list(tossed(random.Random(5), [0.9] * 150 + [0.4] * 100))
    whole = at_once(success.fold, runs)
    assert whole[1]
    assert in_pages(success.fold, runs, size) == whole


def test_what_is_known_stays_small() -> None:
    runs = [
        closed(n, agent=f"a{n % 300}", version=n // 3_000 + 1, y=float(n % 3 > 0))
        for n in range(20_000)
    ]
    known, _ = at_once(success.fold, runs)
    assert len(known) <= 200
    assert all(len(versions) <= 4 for versions in known.values())
