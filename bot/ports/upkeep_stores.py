"""What keeps it going, kept: budgets, jobs, and the database itself."""

from collections.abc import Sequence
from typing import Protocol

from bot.model.budget import Budget
from bot.model.job import JobState


class Budgets(Protocol):
    async def spent(
        self, workspace: str, keys: Sequence[tuple[str, str, str]]
    ) -> dict[tuple[str, str, str], float]:
        """US dollars by (scope, key, period label), the label as in `bot.budget.label`."""

    async def set(self, workspace: str, budget: Budget) -> None: ...

    async def all(self, workspace: str) -> Sequence[Budget]: ...

    async def warn_once(self, workspace: str, key: str) -> bool:
        """True for the first caller with this key, ever."""


class JobStates(Protocol):
    """Jobs belong to the installation: the workspace is the one that owns their runs."""

    async def claim_tick(self, workspace: str, job: str, scheduled: int, run_id: str) -> bool:
        """True for the one run that gets this tick (ms, UTC), however often it asks."""

    async def last_tick(self, workspace: str, job: str) -> int: ...

    async def set_paused(self, workspace: str, job: str, paused: bool) -> None: ...

    async def paused(self, workspace: str) -> set[str]: ...

    async def of(self, workspace: str, names: Sequence[str]) -> list[JobState]:
        """In this order; a job that never ran has a state too."""

    async def watermark(self, workspace: str, job: str) -> int: ...

    async def set_watermark(self, workspace: str, job: str, value: int) -> None:
        """Only ever forward."""


class Upkeep(Protocol):
    """What the nightly jobs do to the database itself."""

    async def workspaces(self) -> list[str]:
        """Every workspace that has a run."""

    async def forget_texts(self, workspace: str, since: int, before: int, limit: int) -> int:
        """Removes the texts of at most `limit` closed runs created in [since, before), with those
        of their steps and deliveries; numbers stay. Returns how many runs had any."""

    async def tidy(self, workspace: str, ticks_before: int, notices_before: int) -> int:
        """Deletes rows that only served to know a repetition; each job's last tick stays."""

    async def optimize(self) -> None:
        """Lets the database tend to its statistics and files."""
