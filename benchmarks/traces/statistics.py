"""How replays would do on tasks tried several times: pairs of tries, and what pairing saves."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist, fmean

from benchmarks.traces.table import Trace

_Z = NormalDist()


@dataclass(frozen=True, slots=True)
class Within:
    """`correlation` is that of two tries at the same task; `tasks` were tried more than once.
    `pairs` are those that a replay needs to see a difference of .10 with 80 % power at .05
    (two-sided), `unpaired` what it would take without pairing, for each side."""

    tasks: int
    success: float
    correlation: float
    pairs: int
    unpaired: int


def within(traces: Sequence[Trace], difference: float = 0.1) -> Within | None:
    """None where no task was tried twice, or all tries came out alike."""
    tries = {task: ys for task, ys in _by_task(traces).items() if len(ys) > 1}
    both = [pair for ys in tries.values() for pair in combinations(ys, 2)]
    if not both:
        return None
    # Each task counts alike, whatever the number of its tries; no try comes first.
    values = [y for ys in tries.values() for y in ys]
    mean = fmean(values)
    variance = fmean([(y - mean) ** 2 for y in values])
    if not variance:
        return None
    covariance = fmean(
        [fmean([(a - mean) * (b - mean) for a, b in combinations(ys, 2)]) for ys in tries.values()]
    )
    correlation = covariance / variance
    needed = ((_Z.inv_cdf(0.975) + _Z.inv_cdf(0.8)) / difference) ** 2 * 2 * variance
    return Within(len(tries), mean, correlation, _up(needed * (1 - correlation)), _up(needed))


def _by_task(traces: Sequence[Trace]) -> Mapping[int, list[float]]:
    tries: dict[int, list[float]] = defaultdict(list)
    for one in traces:
        tries[one.task].append(one.reward)
    return tries


def _up(value: float) -> int:
    return int(value) + (value > int(value))
