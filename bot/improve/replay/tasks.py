"""Which recorded requests are done again: not those the change was made from, and of all kinds."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Sequence
from itertools import zip_longest

from bot.lexical import terms
from bot.ports.stores import Material

ACCEPTED = 0.75
"""From this outcome on an answer is one that people took."""

_ALIKE = 0.4
_MOST_KINDS = 40
_AGES = 3


def held_out(
    material: Sequence[Material], evidence: Collection[str], *, accepted: bool
) -> list[Material]:
    """Without what the change was made from, word for word too. `accepted` leaves only those whose
    answer people took: the rest can't be scored by nearness to it."""
    words = {_plain(one.message) for one in material if one.run_id in evidence}
    return [
        one
        for one in material
        if one.run_id not in evidence
        and _plain(one.message) not in words
        and not (accepted and (one.y is None or one.y < ACCEPTED or one.source == "judge"))
    ]


def choose(material: Sequence[Material], most: int, seed: str) -> tuple[str, ...]:
    """At most so many run ids: one of each conversation before a second of any, every kind of
    request and every age in turn. The same material and seed give the same."""
    first, rest = _by_conversation(sorted(material, key=lambda one: _toss(seed, one.run_id)))
    chosen = _spread(first)[:most]
    return tuple(one.run_id for one in [*chosen, *_spread(rest)][:most])


def _by_conversation(material: Sequence[Material]) -> tuple[list[Material], list[Material]]:
    seen: set[str] = set()
    first: list[Material] = []
    rest: list[Material] = []
    for one in material:
        (rest if one.conversation in seen else first).append(one)
        seen.add(one.conversation)
    return first, rest


def _spread(material: Sequence[Material]) -> list[Material]:
    """Round by round one of each kind and age."""
    ages = {m.run_id: n for n, m in enumerate(sorted(material, key=lambda m: m.created_at))}
    groups: dict[tuple[int, int], list[Material]] = defaultdict(list)
    for one, kind in zip(material, kinds([m.message for m in material]), strict=True):
        groups[kind, ages[one.run_id] * _AGES // max(1, len(material))].append(one)
    rounds = zip_longest(*(groups[key] for key in sorted(groups)))
    return [one for each in rounds for one in each if one is not None]


def kinds(texts: Sequence[str]) -> list[int]:
    """The number of each text's group: it joins the first whose first text shares enough words."""
    firsts: list[frozenset[str]] = []
    found: list[int] = []
    for words in map(terms, texts):
        near = (n for n, first in enumerate(firsts) if _shared(words, first) >= _ALIKE)
        kind = next(near, -1)
        if kind < 0 and len(firsts) < _MOST_KINDS:
            kind = len(firsts)
            firsts.append(words)
        found.append(kind if kind >= 0 else _MOST_KINDS)
    return found


def _shared(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / max(1, len(one | other))


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _toss(seed: str, run_id: str) -> bytes:
    return hashlib.sha256(f"{seed}\x1f{run_id}".encode()).digest()
