"""How sure a share is, and where the middle lies; pure."""

from collections.abc import Mapping
from math import erfc, sqrt

_Z = 1.959964


def wilson(successes: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson's score); (0, 1) where nothing was counted."""
    if n <= 0:
        return 0.0, 1.0
    p, z2 = successes / n, _Z * _Z
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z * sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def difference(
    good_before: float, before: int, good_after: float, after: int
) -> tuple[float, float]:
    """The 95 % interval of how much a share grew (Newcombe's hybrid score); (-1, 1) where one side
    was not counted."""
    if before <= 0 or after <= 0:
        return -1.0, 1.0
    was, now = good_before / before, good_after / after
    (was_low, was_high), (now_low, now_high) = (
        wilson(good_before, before),
        wilson(good_after, after),
    )
    low = now - was - sqrt((now - now_low) ** 2 + (was_high - was) ** 2)
    high = now - was + sqrt((now_high - now) ** 2 + (was - was_low) ** 2)
    return max(-1.0, low), min(1.0, high)


def chance_lower(good: float, n: int, well: float, others: int) -> float:
    """That the first share is so much lower than the second by chance alone: two proportions, with
    continuity corrected. Outcomes between 0 and 1 vary less than this assumes; 1 where one side was
    not counted or nothing varies."""
    if n <= 0 or others <= 0:
        return 1.0
    pooled, parts = (good + well) / (n + others), 1 / n + 1 / others
    error = sqrt(pooled * (1 - pooled) * parts)
    apart = well / others - good / n - parts / 2
    return erfc(apart / error / sqrt(2)) / 2 if error > 0 else 1.0


def quantile(counts: Mapping[int, int], q: float) -> float:
    """Of values that came so many times each: linear between the two nearest; 0 for none."""
    at = q * (sum(counts.values()) - 1)
    before, passed = 0, 0
    for value in sorted(counts):
        if passed > at:
            share = max(0.0, at - (passed - 1))
            return before + (value - before) * share
        passed += counts[value]
        if passed > at + 1 or passed - 1 == at:
            return float(value)
        before = value
    return float(before)


def middle(counts: Mapping[int, int]) -> tuple[float, float, float]:
    """The median of values that came so many times each, and its 95 % interval (by ranks)."""
    n = sum(counts.values())
    if n == 0:
        return 0.0, 0.0, 0.0
    reach = _Z * sqrt(n) / 2 / n
    low, high = max(0.0, 0.5 - reach), min(1.0, 0.5 + reach)
    return quantile(counts, 0.5), quantile(counts, low), quantile(counts, high)
