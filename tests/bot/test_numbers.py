"""Totals, coverage, and what a change of the success rate may be called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model.stats import difference
from bot.numbers import ENOUGH, Totals, changed, coverage, success, totals
from bot.ports.stores import Bucket


def bucket(runs: int, scored: int, good: float, rated: int, **errors: int) -> Bucket:
    return Bucket("writer", 1, runs, scored, good, rated, {1: 1}, 0.5, 1, 0, 0, errors)


def of(good: float, scored: int) -> Totals:
    return Totals(runs=scored, scored=scored, good=good)


def test_totals_are_the_sums_and_coverage_says_what_is_missing() -> None:
    all_runs = totals([bucket(50, 30, 20.5, 10, model=1), bucket(30, 10, 5, 2, model=2, tool=1)])
    assert (all_runs.runs, all_runs.scored, all_runs.good, all_runs.rated) == (80, 40, 25.5, 12)
    assert (all_runs.cost_usd, all_runs.cost_unknown) == (1.0, 2)
    assert all_runs.errors == {"model": 3, "tool": 1}
    assert coverage(all_runs) == "12 of 80 rated, 40 with an outcome"


def test_without_outcomes_nothing_is_claimed() -> None:
    assert success(0, 0) == "not known yet (no outcomes)"
    assert totals([]) == Totals()
    assert Totals().cost_per_success is None


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (of(9, 9), of(500, 500), "not enough to tell yet (n=9 before, 500 after)"),
        (of(20, 40), of(36, 40), "better: success 50% (n=40) → 90% (n=40), +20 to +56 points"),
        (of(36, 40), of(20, 40), "worse: success 90% (n=40) → 50% (n=40), -56 to -20 points"),
        (of(8, 10), of(9, 10), "no clear difference: success 80% (n=10) → 90% (n=10)"),
    ],
)
def test_a_change_is_called_no_more_than_it_is(before: Totals, after: Totals, said: str) -> None:
    assert changed(before, after).startswith(said)


def test_the_interval_of_a_difference_is_newcombes() -> None:
    # Newcombe 1998, method 10: 56/70 against 48/80.
    low, high = difference(48, 80, 56, 70)
    assert (round(low, 4), round(high, 4)) == (0.0524, 0.3339)
    assert difference(0, 0, 5, 5) == (-1.0, 1.0)


@given(st.integers(ENOUGH, 200), st.integers(ENOUGH, 200), st.data())
def test_no_better_without_a_higher_rate_and_none_worse_without_a_lower(
    before: int, after: int, data: st.DataObject
) -> None:
    was = data.draw(st.floats(0, before))
    now = data.draw(st.floats(0, after))
    said = changed(of(was, before), of(now, after))
    grew = now / after - was / before
    assert grew > 0 or not said.startswith("better")
    assert grew < 0 or not said.startswith("worse")
