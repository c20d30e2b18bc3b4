"""The difference between the arms, and how sure it is."""

from dataclasses import replace

import pytest

from bot.improve.verdicts.estimate import Estimate, estimate
from bot.improve.verdicts.evidence import twice_p90
from bot.improve.verdicts.sittings import sittings, weigh
from bot.model.trial import Observed
from tests.bot.improve.verdicts.trials import observed, runs


def of(seen: list[Observed]) -> Estimate:
    found = estimate(list(weigh(sittings(seen), lambda run: run.y)))
    assert found is not None
    return found


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    held = [
        low <= 0.1 <= high
        for seed in range(300)
        for low, high in [of(runs(60, (0.7, 0.8), seed=seed)).interval]
    ]
    assert 0.93 <= sum(held) / len(held) <= 0.995


def test_no_interval_reaches_beyond_all_and_nothing() -> None:
    low, high = of([observed(n, n % 2 == 1, y=float(n % 2)) for n in range(40)]).interval
    assert 0.5 < low < 1 and high == 1


def test_runs_of_one_sitting_are_hardly_more_than_one() -> None:
    once = runs(80, (0.5, 0.5))
    five = [replace(run, run_id=f"{run.run_id}.{n}") for run in once for n in range(5)]
    assert of(five).difference == pytest.approx(of(once).difference)
    assert of(five).error == pytest.approx(of(once).error, rel=0.02)


def test_luck_of_a_few_is_not_certainty() -> None:
    seen = [observed(n, n % 2 == 1, y=float(n % 2)) for n in range(8)]
    assert of(seen).difference == 1.0
    assert of(seen).error > 0.2


def test_an_arm_without_anything_has_no_difference() -> None:
    units = sittings([observed(1, y=1.0), observed(2, True)])
    assert estimate(list(weigh(units, lambda run: run.y))) is None


def test_the_cap_is_twice_what_nine_of_ten_stay_below() -> None:
    assert twice_p90([]) is None
    assert twice_p90([3.0]) == 6.0
    assert twice_p90([float(n) for n in range(1, 101)]) == 182.0
