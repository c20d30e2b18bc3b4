"""The clock of the jobs: each tick becomes one durable workflow, whatever ticks, fails or dies."""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import structlog
from apscheduler.events import EVENT_JOB_SUBMITTED, JobSubmissionEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from bot.errors import NotFound, RatchetError
from bot.model.job import JobState, Schedule
from bot.model.message import Button, Card, Field, Reply
from bot.model.run import RunStatus
from bot.ports.clock import Clock
from bot.ports.durable import Durable
from bot.ports.jobs import JobRuns
from bot.ports.stores import JobStates
from bot.services import Services
from jobs.job import Job

log = structlog.get_logger()

_WORKFLOW = "job"
_LATE_MS = 60_000  # a tick later than this was missed: the process slept or was down
_ONE_COMMAND_SECONDS = 600
_DAILY = re.compile(r"(\d+) (\d+) \* \* \*\Z", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Scheduler:
    """Make it before the durable engine is launched, `start` it afterwards.

    `owner` is the workspace that owns the ticks, their runs and the pauses. Every node has its
    own clock; the tick's workflow id is what makes it run once.
    """

    def __init__(
        self,
        schedule: Mapping[str, Job],
        states: JobStates,
        runs: JobRuns,
        durable: Durable,
        clock: Clock,
        owner: str,
        redact: Callable[[str], str],
    ) -> None:
        self._redact = redact
        self._schedule, self._states, self._runs = schedule, states, runs
        self._durable, self._clock, self._owner = durable, clock, owner
        self._triggers = {name: trigger(job.schedule) for name, job in schedule.items()}
        self._services: Services | None = None
        self._ticking: set[asyncio.Task[None]] = set()
        self._clockwork: Any = None
        durable.register(_WORKFLOW, self._run)

    def bind(self, services: Services) -> None:
        """What jobs work with. Before the engine is launched: it resumes what was cut off."""
        self._services = services

    async def start(self) -> None:
        """Catches up what fell while no node was up, then ticks."""
        for name in self._schedule:
            await self._catch_up(name)
        self._clockwork = AsyncIOScheduler(timezone=UTC)
        self._clockwork.add_listener(self._on_tick, EVENT_JOB_SUBMITTED)
        for name in self._schedule:
            self._clockwork.add_job(
                _nothing, self._triggers[name], id=name, coalesce=True, misfire_grace_time=None
            )
        self._clockwork.start()

    async def close(self) -> None:
        """No more ticks; what is being worked on is the durable engine's."""
        if self._clockwork is not None:
            self._clockwork.shutdown(wait=False)
            self._clockwork = None
        await asyncio.gather(*self._ticking, return_exceptions=True)

    async def tick(self, name: str, scheduled: int) -> None:
        """Starts the tick's workflow unless the job is paused; never raises."""
        try:
            if name in await self._states.paused(self._owner):
                log.info("job_paused", job=name)
                return
            event = f"{name}@{_iso(scheduled)}"
            await self._durable.start(_WORKFLOW, event, name, self._owner, event, scheduled)
        except Exception as error:
            log.error("tick_failed", job=name, scheduled=scheduled, cause=repr(error))

    async def states(self, workspace: str) -> list[JobState]:
        now = self._clock.now()
        return [
            replace(
                state,
                schedule=in_words(self._schedule[state.name].schedule),
                next_at=next_tick(self._triggers[state.name], now),
            )
            for state in await self._states.of(self._owner, list(self._schedule))
        ]

    async def pause(self, workspace: str, job: str, paused: bool) -> None:
        self._must_know(job)
        await self._states.set_paused(self._owner, job, paused)

    async def run_now(self, workspace: str, job: str, key: str) -> str:
        """For this workspace only, whose run it is."""
        self._must_know(job)
        event = f"{job}@now:{key}"
        workflow = f"{workspace}/{event}"
        await self._durable.launch()
        run_id = await self._runs.open(workspace, job, event)
        await self._durable.start(_WORKFLOW, workflow, job, workspace, event, 0)
        if self._clockwork is None:
            # Without a clock this process serves one command and ends; the work comes first.
            await self._durable.result(workflow, _ONE_COMMAND_SECONDS)
        return run_id

    def _must_know(self, job: str) -> None:
        if job not in self._schedule:
            known = ", ".join(self._schedule)
            raise NotFound(f"no job {job!r}", said=f"There is no job {job!r}. There are: {known}.")

    def _on_tick(self, event: JobSubmissionEvent) -> None:
        scheduled = round(event.scheduled_run_times[-1].timestamp() * 1000)
        late = self._clock.now() - scheduled > _LATE_MS
        if late and self._schedule[event.job_id].schedule.missed == "skip":
            log.info("tick_skipped", job=event.job_id, scheduled=scheduled)
            return
        task = asyncio.get_running_loop().create_task(self.tick(event.job_id, scheduled))
        self._ticking.add(task)
        task.add_done_callback(self._ticking.discard)

    async def _catch_up(self, name: str) -> None:
        if self._schedule[name].schedule.missed != "catch_up":
            return
        last, now = await self._states.last_tick(self._owner, name), self._clock.now()
        missed = last_tick(self._triggers[name], last, now) if last else 0
        if missed:
            await self.tick(name, missed)

    async def _run(self, name: str, owner: str, event: str, scheduled: int) -> object:
        """The workflow. Its steps are recorded: what is done is not done again after a crash."""
        run_id = await self._durable.step("open", self._open, name, owner, event, scheduled)
        if not run_id:
            return "another run has this tick"
        spaces = await self._durable.step("spaces", self._spaces, owner, scheduled)
        done: list[dict[str, str]] = []
        for space in spaces:  # type: ignore[attr-defined]
            done.append(await self._durable.step(name, self._work, name, space, run_id))  # type: ignore[arg-type]
        return await self._durable.step("close", self._close, name, owner, event, run_id, done)

    async def _open(self, name: str, owner: str, event: str, scheduled: int) -> str:
        run_id = await self._runs.open(owner, name, event)
        if scheduled and not await self._states.claim_tick(owner, name, scheduled, run_id):
            return ""
        return run_id

    async def _spaces(self, owner: str, scheduled: int) -> list[str]:
        if not scheduled:
            return [owner]
        return sorted({owner, *await self._bound().upkeep.workspaces()})

    async def _work(self, name: str, workspace: str, run_id: str) -> dict[str, str]:
        if name not in self._schedule:
            return {"error": "not_found", "cause": f"there is no job {name!r} any more"}
        try:
            said = await self._schedule[name].work(self._bound(), workspace, run_id)
        except RatchetError as error:
            return {"error": error.kind, "cause": self._redact(str(error))}
        except Exception as error:
            log.exception("job_failed", job=name, workspace=workspace, run_id=run_id)
            return {"error": type(error).__name__, "cause": self._redact(str(error))}
        return {"said": said}

    async def _close(
        self, name: str, owner: str, event: str, run_id: str, done: list[dict[str, str]]
    ) -> str:
        said = "; ".join(dict.fromkeys(one["said"] for one in done if one.get("said")))
        failed = next((one for one in done if "error" in one), None)
        if failed is None:
            await self._runs.close(owner, run_id, RunStatus.SUCCEEDED, said)
            return said
        kind, cause = failed["error"], failed["cause"]
        await self._runs.close(owner, run_id, RunStatus.FAILED, said, kind, cause)
        await self._bound().post.to_admins(
            owner, _failure(name, run_id, kind, cause), key=f"failed:{event}"
        )
        return said

    def _bound(self) -> Services:
        if self._services is None:
            raise RuntimeError("bind the services before the durable engine is launched")
        return self._services


async def _nothing() -> None:
    """The clock wants something to call; what counts is that it says when."""


def trigger(schedule: Schedule) -> BaseTrigger:
    """The same instants on every node: intervals count from the epoch, cron is in UTC."""
    if schedule.cron:
        return CronTrigger.from_crontab(schedule.cron, timezone=UTC)
    return IntervalTrigger(seconds=schedule.every_seconds, start_date=_EPOCH, timezone=UTC)


def next_tick(of: BaseTrigger, after: int) -> int:
    """The first tick at or after this ms."""
    at: datetime = of.get_next_fire_time(None, _at(after))
    return round(at.timestamp() * 1000)


def last_tick(of: BaseTrigger, after: int, until: int) -> int:
    """The last tick in (after, until), or 0."""
    found, span = 0, 60_000
    # From the end backwards in growing spans: years of downtime cost no more than a minute.
    while True:
        start = max(until - span, after + 1)
        at = next_tick(of, start)
        while at < until:
            found, at = at, next_tick(of, at + 1)
        if found or start == after + 1:
            return found
        span *= 4


def in_words(schedule: Schedule) -> str:
    if daily := _DAILY.match(schedule.cron):
        return f"every day at {int(daily[2]):02}:{int(daily[1]):02} UTC"
    if schedule.cron:
        return f"cron {schedule.cron} UTC"
    seconds = schedule.every_seconds
    for size, unit in ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds % size == 0:
            count = seconds // size
            return f"every {unit}" if count == 1 else f"every {count} {unit}s"
    return f"every {seconds} seconds"


def _at(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def _iso(ms: int) -> str:
    return _at(ms).strftime("%Y-%m-%dT%H:%M:%SZ")


def _failure(name: str, run_id: str, kind: str, cause: str) -> Reply:
    text = f"The job {name} failed: {kind}. It will run again at its next time."
    card = Card(
        f"Job {name} failed",
        fields=(Field("Error", kind), Field("Run", run_id)),
        body=cause[:500],
    )
    buttons = (
        Button("Run it again", f"/jobs run {name}"),
        Button("Pause it", f"/jobs pause {name}"),
    )
    return Reply(text, run_id, buttons=buttons, card=card)
