"""What agents do again and again: closed runs of steps, with the success of the runs that hold them.

Two folds over the log, each in its own order: `steps_taken` over closed runs, `judged` over runs as
they get an outcome. Neither looks at the other, so pages may end anywhere and the two may take
turns as they like. Pure; memory is bounded by `most` whatever the log holds.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from bot.improve.distinct import distinct, mark, note_all
from bot.model.stats import wilson

SHORTEST, LONGEST = 2, 5
CONVERSATIONS, PEOPLE, STEPS = 5, 2, 3
"""What a runbook needs at least: support, people, steps."""
MANY_CONVERSATIONS, MANY_PEOPLE = 20, 3
MOST = 400
"""Sequences that are kept; up to twice as many between two clearings."""

_MARKS, _PEOPLE_MARKS = 32, 16
_AGENTS, _EXAMPLES, _SEQUENCE, _MEMO = 8, 5, 64, 4096
_GOOD = 0.75
_NAME = re.compile(r"[\w.@/+-]{1,48}\Z")


class Strength(StrEnum):
    WEAK = "weak"
    """Seen too seldom, or by one person alone."""
    MODERATE = "moderate"
    """Seen often; nothing shows that it does better than its agent usually does."""
    STRONG = "strong"
    """Seen often, and surely at least as good as its agent's mean."""
    VERY_STRONG = "very strong"
    """The same with much support."""


class Walk(NamedTuple):
    """A run as far as patterns go; a tuple, because there are millions. `path` is its steps as
    "kind:name" joined by "|", a failed one ending in "!"; of these only tools matter. `y` is None while nothing speaks of it.
    `at` in ms."""

    run_id: str
    agent: str
    conversation: str
    person: str
    path: str
    y: float | None = None
    at: int = 0


_Ways = dict[tuple[str, str], list[tuple[int, Walk]]]
"""By agent and path the runs that went so, each with its place among all of them."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """`steps` are "agent:NAME" and "tool:NAME". `runs` hold them; `scored` of these have an
    outcome, whose sum is `good`. `low` and `high` are the 95 % interval of their success, `mean`
    is the success of its agent's runs (None where none has an outcome). `agent` is that of most
    of its runs. `examples` are run ids, the best ones known."""

    steps: tuple[str, ...]
    agent: str
    runs: int
    conversations: int
    people: int
    scored: int
    good: float
    low: float
    high: float
    mean: float | None
    examples: tuple[str, ...]
    first_at: int
    last_at: int

    @property
    def success(self) -> float | None:
        return self.good / self.scored if self.scored else None

    @property
    def strength(self) -> Strength:
        if self.conversations < CONVERSATIONS or self.people < PEOPLE:
            return Strength.WEAK
        if not self.scored or self.mean is None or self.low < self.mean:
            return Strength.MODERATE
        many = self.conversations >= MANY_CONVERSATIONS and self.people >= MANY_PEOPLE
        return Strength.VERY_STRONG if many else Strength.STRONG

    @property
    def runbook(self) -> bool:
        """Whether it is worth proposing as a runbook."""
        strong = self.strength in (Strength.STRONG, Strength.VERY_STRONG)
        return strong and len(self.steps) >= STEPS


class Patterns:
    """The fold and its state, which is JSON."""

    def __init__(self, state: Mapping[str, Any] | None = None, most: int = MOST) -> None:
        """`state` is taken over, not copied."""
        kept = state or {}
        self._most = most
        self._taken: dict[str, list[Any]] = kept.get("taken") or {}
        self._judged: dict[str, list[Any]] = kept.get("judged") or {}
        self._agents: dict[str, list[float]] = kept.get("agents") or {}
        self._memo: dict[tuple[str, str], tuple[str, ...]] = {}
        self._cells: dict[tuple[str, str], list[list[Any]]] = {}

    def dump(self) -> dict[str, Any]:
        return {"taken": self._taken, "judged": self._judged, "agents": self._agents}

    def steps_taken(self, walks: Iterable[Walk]) -> None:
        """Closed runs, each once, in their order. Those that went the same way are counted
        together: a million runs take few ways."""
        ways: _Ways = {}
        for at, walk in enumerate(walks):
            way = walk.agent, walk.path
            if way not in self._cells:
                self._count(ways)
                ways = {}
                self._begin(walk)
            ways.setdefault(way, []).append((at, walk))
            if len(self._taken) > 2 * self._most:
                self._count(ways)
                ways = {}
                self._taken = _largest(self._taken, self._most)
                self._cells.clear()
        self._count(ways)

    def _begin(self, walk: Walk) -> None:
        """Makes what is counted for these steps."""
        if len(self._cells) >= _MEMO:
            self._cells.clear()
        self._cells[walk.agent, walk.path] = [
            self._taken.setdefault(gram, [0, 0, [], [], {}, [], walk.at])
            for gram in self._grams(walk)
        ]

    def _count(self, ways: _Ways) -> None:
        newest: dict[int, tuple[list[Any], list[tuple[int, str]]]] = {}
        for way, taken in ways.items():
            last_at = max(walk.at for _, walk in taken)
            talks = sorted({mark(walk.conversation) for _, walk in taken})
            askers = sorted({mark(walk.person) for _, walk in taken})
            ends = [(at, walk.run_id) for at, walk in taken[-_EXAMPLES:]]
            for cell in self._cells[way]:
                cell[0] += len(taken)
                cell[1] = max(cell[1], last_at)
                note_all(cell[2], talks, _MARKS)
                note_all(cell[3], askers, _PEOPLE_MARKS)
                _add(cell[4], way[0], len(taken))
                newest.setdefault(id(cell), (cell, []))[1].extend(ends)
        for cell, seen in newest.values():
            cell[5] = [*cell[5], *(run for _, run in sorted(seen))][-_EXAMPLES:]

    def judged(self, walk: Walk) -> None:
        """A run that got its first outcome, once."""
        if walk.y is None:
            return
        agent = self._agents.setdefault(walk.agent, [0, 0.0])
        agent[0] += 1
        agent[1] += walk.y
        for gram in self._grams(walk):
            cell = self._judged.get(gram)
            if cell is None:
                cell = self._judged[gram] = [0, 0, 0.0, []]
            cell[0] += 1
            cell[1] = max(cell[1], walk.at)
            cell[2] += walk.y
            if walk.y >= _GOOD:
                cell[3] = [*cell[3][1 - _EXAMPLES :], walk.run_id]
        if len(self._judged) > 2 * self._most:
            self._judged = _largest(self._judged, self._most)

    def found(self, since: int = 0) -> list[Pattern]:
        """The closed ones seen at or after `since` (ms): none that a longer one of the same support
        contains. The strongest first."""
        hidden = _within_longer(self._taken)
        patterns = [
            self._pattern(gram, cell)
            for gram, cell in self._taken.items()
            if gram not in hidden and cell[1] >= since
        ]
        order = list(Strength)
        return sorted(
            patterns,
            key=lambda p: (-order.index(p.strength), -p.conversations, -p.low, p.steps),
        )

    def _pattern(self, gram: str, cell: Sequence[Any]) -> Pattern:
        runs, last_at, conversations, people, agents, examples, first_at = cell
        scored, _, good, best = self._judged.get(gram, (0, 0, 0.0, []))
        low, high = wilson(good, scored)
        return Pattern(
            steps=tuple(gram.split(" ")),
            agent=max(sorted(agents), key=lambda name: agents[name], default=""),
            runs=runs,
            conversations=distinct(conversations, _MARKS),
            people=distinct(people, _PEOPLE_MARKS),
            scored=scored,
            good=good,
            low=low,
            high=high,
            mean=self._mean(agents),
            examples=tuple(dict.fromkeys((*best, *examples)))[:_EXAMPLES],
            first_at=first_at,
            last_at=last_at,
        )

    def _mean(self, agents: Mapping[str, int]) -> float | None:
        """Of the agents that took these steps, each by how often it did."""
        known = {name: runs for name, runs in agents.items() if name in self._agents}
        whole = sum(known.values())
        if not whole:
            return None
        means = {name: self._agents[name][1] / self._agents[name][0] for name in known}
        return sum(means[name] * runs for name, runs in known.items()) / whole

    def _grams(self, walk: Walk) -> tuple[str, ...]:
        key = (walk.agent, walk.path)
        grams = self._memo.get(key)
        if grams is None:
            if len(self._memo) >= _MEMO:
                self._memo.clear()
            grams = self._memo[key] = grams_of(sequence(walk.agent, walk.path))
        return grams


def mine(walks: Iterable[Walk], most: int = MOST) -> list[Pattern]:
    """Every pattern of these runs, at once."""
    patterns, taken = Patterns(most=most), list(walks)
    patterns.steps_taken(taken)
    for walk in taken:
        patterns.judged(walk)
    return patterns.found()


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


def _add(agents: dict[str, int], name: str, runs: int) -> None:
    if name in agents or len(agents) < _AGENTS:
        agents[name] = agents.get(name, 0) + runs


def _within_longer(taken: Mapping[str, Sequence[Any]]) -> set[str]:
    """Those that one more step before or after doesn't make rarer."""
    hidden = set()
    for gram, cell in taken.items():
        for shorter in (gram.partition(" ")[2], gram.rpartition(" ")[0]):
            known = taken.get(shorter)
            if known is not None and known[0] <= cell[0]:
                hidden.add(shorter)
    return hidden


def _largest(table: Mapping[str, list[Any]], most: int) -> dict[str, list[Any]]:
    """The most frequent and, of those, the newest; in the order they came in."""
    ranked = sorted(table, key=lambda gram: (-table[gram][0], -table[gram][1], gram))
    kept = set(ranked[:most])
    return {gram: cell for gram, cell in table.items() if gram in kept}
