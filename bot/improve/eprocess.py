"""Wealth that grows only while one arm is better, and may be looked at after every run; pure."""

from collections.abc import Sequence
from math import exp, log, log1p
from operator import add

STAKES = (0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9)
PROMOTE = 20.0
"""Reached by a candidate that is no better with a probability of at most 1/20."""
HARM = 5.0
"""Reached by a candidate that is no worse with a probability of at most 1/5."""
GUARD = 20.0
MOST_MARGIN = 0.2
"""With more, a bet against the candidate could lose more than there is."""

_MANY = log(len(STAKES))
_HUGE = 300.0


class EProcess:
    """Two wealths that begin at 1: `up` bets that the candidate's values are higher than the
    incumbent's (less `margin`), `down` that they are lower. Values lie in [0, 1].

    One bet for each sitting, in constant time and memory (and a line for each person). While the
    arms don't differ the expected wealth stays 1 whatever anyone looks at, because a bet is fixed
    before the coin that chose the arm; by Ville's inequality it then ever reaches x with a
    probability of at most 1/x.
    """

    __slots__ = ("_by_person", "_down", "_n", "_sum", "_up", "bets", "margin")

    def __init__(self, margin: float = 0.0) -> None:
        if not 0 <= margin <= MOST_MARGIN:
            raise ValueError(f"the margin is {margin}, not within 0 and {MOST_MARGIN}")
        self.margin = margin
        self.bets = 0
        self._up = [0.0] * len(STAKES)
        self._down = [0.0] * len(STAKES)
        self._sum, self._n = 0.5, 1
        self._by_person: dict[str, list[float]] = {}

    def bet(
        self,
        values: Sequence[float],
        candidate: bool,
        propensity: float,
        weight: float = 1.0,
        person: str = "",
    ) -> None:
        """The scored runs of one sitting. `propensity` is that of the candidate; at 0 or 1 no coin
        was tossed and nothing is bet. `weight` in [0, 1] must be known before the coin."""
        if not values or not 0.0 < propensity < 1.0:
            return
        off = sum(values) / len(values) - self._sum / self._n
        contrast = off / propensity if candidate else -off / (1.0 - propensity)
        stake = weight * min(propensity, 1.0 - propensity) * (contrast + self.margin)
        gains = [log1p(each * stake) for each in STAKES]
        self._up = list(map(add, self._up, gains))
        self._down = list(map(add, self._down, [log1p(-each * stake) for each in STAKES]))
        if person:
            had = self._by_person.get(person)
            self._by_person[person] = gains if had is None else list(map(add, had, gains))
        self._sum += sum(values)
        self._n += len(values)
        self.bets += 1

    def copy(self) -> "EProcess":
        """Another that goes on from here by itself."""
        other = EProcess(self.margin)
        other.bets, other._sum, other._n = self.bets, self._sum, self._n
        other._up, other._down = self._up, self._down
        other._by_person = dict(self._by_person)
        return other

    @property
    def up(self) -> float:
        return _wealth(self._up)

    @property
    def down(self) -> float:
        return _wealth(self._down)

    @property
    def people(self) -> Sequence[str]:
        """Those who are behind `up`, whom it would lose most without first."""
        return sorted(self._by_person, key=lambda person: self.up_without(person))

    def up_without(self, *people: str) -> float:
        """What `up` would be had nothing been bet on their sittings."""
        rest = self._up
        for person in people:
            theirs = self._by_person.get(person)
            rest = rest if theirs is None else [a - b for a, b in zip(rest, theirs, strict=True)]
        return _wealth(rest)


def _wealth(logs: Sequence[float]) -> float:
    most = max(logs)
    return exp(min(most + log(sum(exp(each - most) for each in logs)) - _MANY, _HUGE))
