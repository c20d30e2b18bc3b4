"""What is seen of a demo: one interface; in lines for any output, alive in a terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.demo.news import News
from bot.demo.weeks import Week
from bot.model.run import Run
from bot.model.trial import Trial


@dataclass(frozen=True, slots=True)
class Now:
    """How it stands. `at` is simulated time (ms, UTC), `share` how much is done, `recent` the last
    requests, newest first, with the names of who asked; `trials` those that run."""

    at: int
    asked: int
    share: float
    recent: Sequence[Run]
    names: Mapping[str, str]
    trials: Sequence[Trial]
    weeks: Sequence[tuple[Week, Week]]


class Screen(Protocol):
    def news(self, one: News) -> None: ...

    def week(self, number: int, learns: Week, stays: Week) -> None:
        """`number` counts from 1."""

    def now(self, now: Now) -> None: ...
