"""Background jobs: what is scheduled, and each firing of it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a job runs: a cron expression (UTC) or an interval. `missed` says what becomes of
    ticks that fell while no node was up: run once for all of them, or not at all."""

    cron: str = ""
    every_seconds: int = 0
    missed: Literal["catch_up", "skip"] = "skip"


@dataclass(frozen=True, slots=True)
class JobState:
    """A job as people see it. Times are ms since the epoch, UTC; 0 means never."""

    name: str
    schedule: str
    paused: bool
    last_tick_at: int
    """When it last began, by its schedule or by hand."""
    last_run_id: str
    last_status: str
    next_at: int


def conversation_of(job: str) -> str:
    """The conversation that a job's runs belong to."""
    return f"job:{job}"
