"""A version that takes longer or costs more is noticed, and a few slow runs are not."""

import random
from collections.abc import Iterable
from math import exp
from statistics import median
from typing import Any

import pytest

from bot.improve.detect import drift
from bot.ports.stores import Closed
from tests.bot.improve.detect.samples import Fold, at_once, closed, in_pages

FOLD: Fold = drift.fold


def _taking(chance: random.Random, factors: Iterable[float], **changes: Any) -> list[Closed]:
    return [
        closed(n, latency_ms=round(600 * factor * exp(0.5 * chance.gauss(0, 1))), **changes)
        for n, factor in enumerate(factors)
    ]


def test_a_rise_by_half_is_noticed_after_about_40_runs() -> None:
    took = []
    for seed in range(60):
        known: dict[str, Any] = {}
        for number, run in enumerate(_taking(random.Random(seed), [1.0] * 300 + [1.5] * 400)):
            if FOLD(known, [run]):
                took.append(number - 300)
                break
    assert len(took) == 60
    assert 0 < median(took) <= 45


def test_steady_times_raise_no_alarm_in_5000_runs_on_average() -> None:
    alarms, runs = 0, 40_000
    known: dict[str, Any] = {}
    for run in _taking(random.Random(4), [1.0] * runs, cost_usd=None):
        alarms += len([*FOLD(known, [run])])
    assert alarms <= runs / 5_000


def test_now_and_then_a_very_slow_run_is_no_drift() -> None:
    chance = random.Random(9)
    factors = [20.0 if chance.random() < 0.03 else 1.0 for _ in range(3_000)]
    assert at_once(drift.fold, _taking(chance, factors))[1] == []


def test_what_it_found_is_told() -> None:
    runs = [closed(n, cost_usd=0.002 if n < 200 else 0.005) for n in range(240)]
    _, [seen] = at_once(drift.fold, runs)
    assert seen.title == "writer v1 costs more: $0.0050 a run, $0.0020 before"
    assert (seen.facts["measure"], seen.facts["before"], seen.facts["after"]) == (
        "cost",
        0.002,
        0.005,
    )
    assert seen.usd_week == pytest.approx(0.003 * len(seen.evidence) * 7, rel=1e-3)
    assert seen.evidence[0] == runs[200].id and seen.people == 7


def test_a_price_that_is_not_known_and_a_run_that_failed_say_nothing() -> None:
    runs = [closed(n, cost_usd=None, latency_ms=0) for n in range(100)]
    runs += [closed(n, status="failed", latency_ms=90_000) for n in range(100)]
    known, seen = at_once(drift.fold, runs)
    assert seen == []
    assert known["writer"]["1"]["latency"]["block"] == []


@pytest.mark.parametrize("size", [1, 13, 100])
def test_any_pages_come_to_the_same(size: int) -> None:
    runs = _taking(random.Random(2), [1.0] * 220 + [3.0] * 90)
    whole = at_once(drift.fold, runs)
    assert whole[1]
    assert in_pages(drift.fold, runs, size) == whole


def test_what_lasts_is_told_again_and_then_how_things_are() -> None:
    runs = [closed(n, latency_ms=600 if n < 200 else 1_500) for n in range(1_000)]
    known: dict[str, Any] = {}
    told = [(n, seen) for n, run in enumerate(runs) for seen in FOLD(known, [run])]
    assert len(told) == 5
    assert {seen.facts["since"] for _, seen in told} == {runs[200].created_at}
    assert {seen.facts["earlier"] for _, seen in told} == {200}
    assert told[-1][0] < 400
