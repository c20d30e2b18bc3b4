"""Budgets, asked before every model call and never after."""

from bot.model.budget import Budget, Period, Scope
from bot.model.run import Usage
from bot.ports.clock import Clock
from bot.ports.stores import Budgets


def label(period: Period, at: int) -> str:
    """The calendar period (UTC) that `at` (ms) falls into: "2026-11-20" or "2026-11"."""
    raise NotImplementedError


class Purse:
    """Holds what calls in flight may still cost, so that many at once can't pass one limit."""

    def __init__(self, store: Budgets, defaults: tuple[Budget, ...], clock: Clock) -> None:
        self._store, self._defaults, self._clock = store, defaults, clock

    async def hold(
        self, workspace: str, *, run_id: str, agent: str, person: str, spent: Usage, most: Usage
    ) -> str:
        """Reserves `most` for a call; returns the hold's id. Raises OverBudget, which says which
        budget it is and how to raise it."""
        raise NotImplementedError

    def release(self, hold: str) -> None:
        """Once the call's real cost is recorded, or it failed."""
        raise NotImplementedError


__all__ = ["Budget", "Period", "Purse", "Scope", "label"]
