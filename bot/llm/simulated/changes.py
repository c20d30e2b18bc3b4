"""What a world's proposer proposes: lessons that read alike, with hidden effects."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from bot.llm.simulated.chance import normal, pick
from bot.llm.simulated.world import Spread, World

_RULE = re.compile(r"house rule (\d{1,6})\b", re.IGNORECASE)
_LEAST = 0.005
"""So much a good change helps, and a harmful one harms, however it is drawn."""

_DO = (
    "name the order number",
    "repeat the date that was asked about",
    "say who decides it",
    "give the amount with its currency",
    "say what happens next",
    "name the document it comes from",
    "check the period before the amount",
    "say what is not certain",
    "put the answer into the first sentence",
    "ask for the missing number",
)
_WHEN = (
    "before anything else",
    "when a date is given",
    "in the first line",
    "when two answers are possible",
    "before you promise anything",
    "at the end of the answer",
    "when an amount is asked for",
    "when someone is in a hurry",
)


class Class(StrEnum):
    PLACEBO = "placebo"
    HARMFUL = "harmful"
    GOOD = "good"


@dataclass(frozen=True, slots=True)
class Change:
    """The hidden truth about one proposal. `success` is what it adds to the chance of a good
    answer; `replay` is added to that on replays only; `latency` and `cost` are relative."""

    number: int
    kind: Class
    text: str
    success: float
    replay: float
    latency: float
    cost: float


def change(world: World, seed: int, number: int) -> Change:
    """The `number`th proposal, from 1."""
    among = world.changes
    kinds = (among.placebo, among.harmful, among.good)
    drawn = pick([kind.share for kind in kinds], seed, "class", number)
    kind, of = tuple(Class)[drawn], kinds[drawn]

    def draw(spread: Spread, what: str) -> float:
        return normal(spread.mean, spread.sd, seed, what, number)

    return Change(
        number,
        kind,
        _text(seed, number),
        _signed(kind, draw(of.success, "success")),
        draw(of.replay, "replay"),
        max(-0.9, draw(of.latency, "latency")),
        max(-0.9, draw(of.cost, "cost")),
    )


def found(text: str) -> frozenset[int]:
    """The numbers of the changes that a prompt contains."""
    return frozenset(int(number) for number in _RULE.findall(text))


def known(world: World, numbers: Iterable[int]) -> frozenset[int]:
    """Those that this world's proposer made."""
    return frozenset(n for n in numbers if 1 <= n <= max(1, world.proposals))


def _signed(kind: Class, effect: float) -> float:
    if kind is Class.GOOD:
        return max(_LEAST, effect)
    return min(-_LEAST, effect) if kind is Class.HARMFUL else effect


def _text(seed: int, number: int) -> str:
    do = _DO[pick([1.0] * len(_DO), seed, "do", number)]
    when = _WHEN[pick([1.0] * len(_WHEN), seed, "when", number)]
    return f"House rule {number}: {do} {when}."
