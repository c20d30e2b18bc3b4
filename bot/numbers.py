"""What the numbers over runs come to: totals, shares with intervals, before and after; pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.model.stats import difference, quantile, wilson
from bot.ports.stores import Bucket

ENOUGH = 10
"""Outcomes on each side before a difference is spoken of at all."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Requests over a period. `scored` have an outcome, `rated` one that people gave; `good` is
    the sum of the outcomes. `cost_unknown` runs are not in `cost_usd`."""

    runs: int = 0
    scored: int = 0
    good: float = 0.0
    rated: int = 0
    cost_usd: float = 0.0
    cost_unknown: int = 0
    latencies: Mapping[int, int] = field(default_factory=dict)
    errors: Mapping[str, int] = field(default_factory=dict)

    @property
    def p50(self) -> float:
        return quantile(self.latencies, 0.50)

    @property
    def p95(self) -> float:
        return quantile(self.latencies, 0.95)

    @property
    def cost_per_success(self) -> float | None:
        return self.cost_usd / self.good if self.good else None


def totals(buckets: Sequence[Bucket]) -> Totals:
    return Totals(
        runs=sum(b.runs for b in buckets),
        scored=sum(b.scored for b in buckets),
        good=sum(b.successes for b in buckets),
        rated=sum(b.rated for b in buckets),
        cost_usd=sum(b.cost_usd for b in buckets),
        cost_unknown=sum(b.cost_unknown for b in buckets),
        latencies=sum((Counter(b.latencies) for b in buckets), Counter[int]()),
        errors=sum((Counter(b.errors) for b in buckets), Counter[str]()),
    )


def success(good: float, scored: int) -> str:
    """ "83% [61% to 94%], n=18"; runs without an outcome are in neither number."""
    if not scored:
        return "not known yet (no outcomes)"
    low, high = wilson(good, scored)
    return f"{good / scored:.0%} [{low:.0%} to {high:.0%}], n={scored}"


def coverage(all_runs: Totals) -> str:
    """ "12 of 80 rated, 40 with an outcome": what a success rate was made from."""
    rated = f"{all_runs.rated} of {all_runs.runs} rated"
    return f"{rated}, {all_runs.scored} with an outcome"


def changed(before: Totals, after: Totals) -> str:
    """How the success rate changed, and no more than the outcomes can tell."""
    if min(before.scored, after.scored) < ENOUGH:
        return f"not enough to tell yet (n={before.scored} before, {after.scored} after)"
    was, now = before.good / before.scored, after.good / after.scored
    low, high = difference(before.good, before.scored, after.good, after.scored)
    rates = f"success {was:.0%} (n={before.scored}) → {now:.0%} (n={after.scored})"
    if low > 0:
        return f"better: {rates}, {_points(low, high)}"
    if high < 0:
        return f"worse: {rates}, {_points(low, high)}"
    return f"no clear difference: {rates}, {_points(low, high)}"


def _points(low: float, high: float) -> str:
    """The interval of the difference, in percentage points."""
    return f"{low * 100:+.0f} to {high * 100:+.0f} points"
