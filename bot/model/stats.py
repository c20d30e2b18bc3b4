"""How sure a share is; pure."""

from math import sqrt

_Z = 1.959964


def wilson(successes: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson's score); (0, 1) where nothing was counted."""
    if n <= 0:
        return 0.0, 1.0
    p, z2 = successes / n, _Z * _Z
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z * sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return max(0.0, middle - half), min(1.0, middle + half)
