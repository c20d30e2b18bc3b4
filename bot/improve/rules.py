"""What a rule that decides trials is: it looks at every run so far and says what becomes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from bot.model.trial import Observed, Replayed, Trial


class Verdict(StrEnum):
    GO_ON = "go_on"
    KEEP = "keep"
    ROLL_BACK = "roll_back"


@dataclass(frozen=True, slots=True)
class Look:
    """`share` is the propensity for sittings from now on. `why` is a short code that words are
    made from ("better", "harm", "cap", "time", "latency", "cost", "errors", …). `numbers` are JSON
    values for people: wealth, runs and scored runs per arm, means, interval, posterior.
    `gives_way` says that it goes on only as long as no other change waits for one of its agents."""

    verdict: Verdict
    share: float
    why: str = ""
    numbers: Mapping[str, object] = field(default_factory=dict)
    gives_way: bool = False


class Rule(Protocol):
    """Pure: the same runs give the same look. Called after every run if one likes."""

    @property
    def name(self) -> str: ...

    def look(
        self, trial: Trial, seen: Sequence[Observed], replay: Replayed | None, now: int
    ) -> Look:
        """`seen` in the order in which the runs were made; `now` in ms."""
