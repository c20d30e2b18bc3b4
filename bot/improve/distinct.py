"""How many different ones there were, in a list that never grows long; pure."""

from bisect import bisect_left
from collections.abc import Iterable
from zlib import crc32

_ALL = 2**32


def mark(name: str) -> int:
    """The same in every process."""
    return crc32(name.encode(errors="replace"))


def note(kept: list[int], marked: int, limit: int) -> None:
    """Keeps the `limit` smallest marks, in order: whichever order they come in, the same stay."""
    if len(kept) >= limit and marked >= kept[-1]:
        return
    at = bisect_left(kept, marked)
    if at < len(kept) and kept[at] == marked:
        return
    kept.insert(at, marked)
    if len(kept) > limit:
        kept.pop()


def note_all(kept: list[int], marked: Iterable[int], limit: int) -> None:
    """The same of many, the smallest first."""
    for one in marked:
        if len(kept) >= limit and one >= kept[-1]:
            return
        note(kept, one, limit)


def distinct(kept: list[int], limit: int) -> int:
    """Exact below `limit`; an estimate from how dense the smallest marks lie from there on."""
    if len(kept) < limit:
        return len(kept)
    return max(limit, round((limit - 1) * _ALL / (kept[-1] + 1)))
