"""What agents do again and again: closed runs of steps, with the success of the runs that hold them.

Two folds over the log, each in its own order: `steps_taken` over closed runs, `judged` over runs as
they get an outcome. Neither looks at the other, so pages may end anywhere and the two may take
turns as they like. Pure; memory is bounded by `most` whatever the log holds.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bot.improve.distinct import distinct
from bot.improve.taken import EXAMPLES, MARKS, PEOPLE_MARKS, Taken, largest
from bot.improve.walks import Grams, Walk
from bot.model.stats import wilson

CONVERSATIONS, PEOPLE, STEPS = 5, 2, 3
"""What a runbook needs at least: support, people, steps."""
MANY_CONVERSATIONS, MANY_PEOPLE = 20, 3
MOST = 400
"""Sequences that are kept; up to twice as many between two clearings."""

_GOOD = 0.75


class Strength(StrEnum):
    WEAK = "weak"
    """Seen too seldom, or by one person alone."""
    MODERATE = "moderate"
    """Seen often; nothing shows that it does better than its agent usually does."""
    STRONG = "strong"
    """Seen often, and surely at least as good as its agent's mean."""
    VERY_STRONG = "very strong"
    """The same with much support."""


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
        self._grams = Grams()
        self._taken = Taken(kept.get("taken") or {}, most, self._grams)
        self._judged: dict[str, list[Any]] = kept.get("judged") or {}
        self._agents: dict[str, list[float]] = kept.get("agents") or {}

    def dump(self) -> dict[str, Any]:
        return {"taken": self._taken.table, "judged": self._judged, "agents": self._agents}

    def steps_taken(self, walk: Walk) -> None:
        """A closed run, once."""
        self._taken.add(walk)

    def judged(self, walk: Walk) -> None:
        """A run that got its first outcome, once."""
        if walk.y is None:
            return
        agent = self._agents.setdefault(walk.agent, [0, 0.0])
        agent[0] += 1
        agent[1] += walk.y
        for gram in self._grams.of(walk):
            cell = self._judged.get(gram)
            if cell is None:
                cell = self._judged[gram] = [0, 0, 0.0, []]
            cell[0] += 1
            cell[1] = max(cell[1], walk.at)
            cell[2] += walk.y
            if walk.y >= _GOOD:
                cell[3] = [*cell[3][1 - EXAMPLES :], walk.run_id]
        if len(self._judged) > 2 * self._most:
            self._judged = largest(self._judged, self._most)

    def found(self, since: int = 0) -> list[Pattern]:
        """The closed ones seen at or after `since` (ms): none that a longer one of the same support
        contains. The strongest first."""
        taken = self._taken.table
        hidden = _within_longer(taken)
        patterns = [
            self._pattern(gram, cell)
            for gram, cell in taken.items()
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
            conversations=distinct(conversations, MARKS),
            people=distinct(people, PEOPLE_MARKS),
            scored=scored,
            good=good,
            low=low,
            high=high,
            mean=self._mean(agents),
            examples=tuple(dict.fromkeys((*best, *examples)))[:EXAMPLES],
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


def mine(walks: Iterable[Walk], most: int = MOST) -> list[Pattern]:
    """Every pattern of these runs, at once."""
    patterns = Patterns(most=most)
    for walk in walks:
        patterns.steps_taken(walk)
        patterns.judged(walk)
    return patterns.found()


def _within_longer(taken: Mapping[str, Sequence[Any]]) -> set[str]:
    """Those that one more step before or after doesn't make rarer."""
    hidden = set()
    for gram, cell in taken.items():
        for shorter in (gram.partition(" ")[2], gram.rpartition(" ")[0]):
            known = taken.get(shorter)
            if known is not None and known[0] <= cell[0]:
                hidden.add(shorter)
    return hidden
