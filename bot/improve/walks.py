"""A run as far as patterns go, and the stretches of steps in it; pure."""

import re
from collections.abc import Sequence
from typing import NamedTuple

SHORTEST, LONGEST = 2, 5

_SEQUENCE, _MEMO = 64, 4096
_NAME = re.compile(r"[\w.@/+-]{1,48}\Z")


class Walk(NamedTuple):
    """A tuple, because there are millions. `path` is its steps as "kind:name" joined by "|", a
    failed one ending in "!"; of these only tools matter. `y` is None while nothing speaks of it.
    `at` in ms."""

    run_id: str
    agent: str
    conversation: str
    person: str
    path: str
    y: float | None = None
    at: int = 0


class Grams:
    """The stretches of steps of each walk; worked out once, for a million runs take few ways."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[str, ...]] = {}

    def of(self, walk: Walk) -> tuple[str, ...]:
        way = walk.agent, walk.path
        grams = self._known.get(way)
        if grams is None:
            if len(self._known) >= _MEMO:
                self._known.clear()
            grams = self._known[way] = grams_of(sequence(*way))
        return grams


def sequence(agent: str, path: str) -> list[str]:
    """The agent and the tools that worked, repeats in a row once. A name that no agent and no tool
    can have (a model may ask for a tool by any) is no step."""
    names = [f"agent:{agent}"] if _NAME.match(agent) else []
    for step in path.split("|"):
        kind, _, name = step.partition(":")
        if kind == "tool" and _NAME.match(name) and names[-1:] != [step]:
            names.append(step)
    return names[:_SEQUENCE]


def grams_of(names: Sequence[str]) -> tuple[str, ...]:
    """Every stretch of 2 to 5 steps, each once, in the order in which they begin."""
    found = {
        " ".join(names[start : start + length]): None
        for start in range(len(names))
        for length in range(SHORTEST, LONGEST + 1)
        if start + length <= len(names)
    }
    return tuple(found)
