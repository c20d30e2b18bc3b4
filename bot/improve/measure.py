"""How sure a success rate is; pure."""

from math import sqrt
from statistics import NormalDist

_Z95 = NormalDist().inv_cdf(0.975)


def wilson(successes: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a rate (Wilson 1927): honest for few runs and near 0 and 1.

    (0, 1) where nothing was scored: nothing is known.
    """
    if n <= 0:
        return 0.0, 1.0
    rate, z2 = min(max(successes / n, 0.0), 1.0), _Z95 * _Z95
    middle = (rate + z2 / (2 * n)) / (1 + z2 / n)
    reach = _Z95 / (1 + z2 / n) * sqrt(rate * (1 - rate) / n + z2 / (4 * n * n))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def coverage(known: int, runs: int) -> float:
    """The part of the runs that is known about, shown beside every rate made from it."""
    return known / runs if runs else 0.0
