"""How much a person's next sitting may count in a trial, so that nobody decides it alone; pure."""

FREE = 5.0
"""So much counts in full whoever it comes from."""
_FAIR = 2.0
_LEAST_SHARE = 0.25


class Weights:
    """In a trial of k people one of them has at most 2/k of the weight, or a quarter where that
    is more; one or two people share all of it. Whoever writes more than that counts less from
    then on, not for what was counted.

    A weight depends on whose sitting it is and on the weights before, never on its arm or outcome:
    so it may scale a bet without making it unfair.
    """

    __slots__ = ("_had", "_total")

    def __init__(self) -> None:
        self._had: dict[str, float] = {}
        self._total = 0.0

    @property
    def people(self) -> int:
        return len(self._had)

    def next(self, person: str) -> float:
        """The weight in [0, 1] of this person's next sitting; it is counted as taken."""
        own = self._had.get(person, 0.0)
        people = len(self._had) + (person not in self._had)
        weight = min(1.0, max(0.0, self._limit(people, self._total - own) - own))
        self._had[person] = own + weight
        self._total += weight
        return weight

    def _limit(self, people: int, others: float) -> float:
        share = max(_FAIR / people, _LEAST_SHARE)
        return float("inf") if share >= 1 else max(FREE, others * share / (1 - share))
