"""Chance without state: the same key gives the same draw, whatever was drawn before."""

import hashlib
from collections.abc import Sequence
from itertools import accumulate
from statistics import NormalDist

_STANDARD = NormalDist()
_EDGE = 1e-12


def code(*key: object, size: int = 8) -> str:
    """`size` hexadecimal digits."""
    return hashlib.blake2b(_joined(key), digest_size=(size + 1) // 2).hexdigest()[:size]


def uniform(*key: object) -> float:
    """In [0, 1)."""
    return int.from_bytes(hashlib.blake2b(_joined(key), digest_size=8).digest()) / 2**64


def normal(mean: float, sd: float, *key: object) -> float:
    if not sd:
        return mean
    return mean + sd * _STANDARD.inv_cdf(min(max(uniform(*key), _EDGE), 1 - _EDGE))


def pick(weights: Sequence[float], *key: object) -> int:
    """An index, with chances in proportion to the weights; not all of them may be 0."""
    sums = list(accumulate(weights))
    drawn = uniform(*key) * sums[-1]
    return next(n for n, reached in enumerate(sums) if drawn < reached)


def _joined(key: tuple[object, ...]) -> bytes:
    return "\x1f".join(map(str, key)).encode()
