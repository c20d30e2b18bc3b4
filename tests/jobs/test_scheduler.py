"""Ticks: one run each, through failures, restarts, pauses and two nodes."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import SystemClock, SystemIds
from bot.errors import NotFound, ToolError
from bot.model.job import Schedule
from bot.model.run import RunKind, RunStatus
from bot.ports.clock import Clock
from bot.services import Services
from jobs import SCHEDULE
from jobs.job import Job, JournalRuns
from jobs.scheduler import Scheduler, in_words, last_tick, next_tick, trigger
from storage.durable import DbosDurable
from storage.engine import Database, url_of
from storage.jobstates import JobStateStore
from storage.journal import RunJournal
from storage.runs import RunStore
from storage.tables import metadata
from tests.conftest import HeldClock
from tests.fakes.post import RecordingPost
from tests.jobs.bench import services

HOUR = 3_600_000
ROOT = Path(__file__).parents[2]


class Node:
    """A scheduler on its own engine, as the wiring makes it."""

    def __init__(
        self, db: Database, home: Path, clock: Clock, schedule: Mapping[str, Job], seconds: int = 0
    ) -> None:
        self.durable = DbosDurable(home, "n1")
        self.journal, self.runs = RunJournal(db), RunStore(db)
        self.post = RecordingPost()
        ids = SystemIds()
        self.schedulers = [
            Scheduler(
                schedule,
                JobStateStore(db),
                JournalRuns(self.journal, self.runs, clock, ids, "n1"),
                self.durable,
                clock,
                "local",
                lambda text: text.replace("hunter2", "[redacted]"),
            )
            for _ in range(2)
        ]
        self.scheduler = self.schedulers[0]
        for scheduler in self.schedulers:
            scheduler.bind(services(db, clock, ids, post=self.post, runs=self.runs))

    async def result(self, event: str) -> object:
        return await self.durable.result(event, 20)


@asynccontextmanager
async def running(node: Node) -> AsyncIterator[Node]:
    node.journal.start()
    await node.durable.launch()
    try:
        yield node
    finally:
        for scheduler in node.schedulers:
            await scheduler.close()
        await node.durable.close()
        await node.journal.close()


async def count(services: Services, workspace: str, run_id: str) -> str:
    return f"counted {workspace}"


async def fail(services: Services, workspace: str, run_id: str) -> str:
    raise ToolError("the key hunter2 was refused")


async def crash(services: Services, workspace: str, run_id: str) -> str:
    raise ZeroDivisionError("oh")


JOBS = {
    "count": Job(count, Schedule(every_seconds=3600, missed="catch_up")),
    "skips": Job(count, Schedule(every_seconds=3600, missed="skip")),
    "fails": Job(fail, Schedule(cron="0 3 * * *")),
    "crashes": Job(crash, Schedule(cron="0 3 * * *")),
}


async def test_two_clocks_one_run_a_tick(db: Database, clock: HeldClock, tmp_path: Path) -> None:
    async with running(Node(db, tmp_path, clock, JOBS)) as node:
        ticks = [s.tick("count", at * HOUR) for s in node.schedulers for at in (1, 2, 2)]
        await asyncio.gather(*ticks)
        said = await node.result("count@1970-01-01T01:00:00Z")
        assert said == "counted local"
        await node.result("count@1970-01-01T02:00:00Z")
        found = await node.runs.recent("local")
        assert [(r.kind, r.status, r.answer) for r in found] == [
            (RunKind.JOB, RunStatus.SUCCEEDED, "counted local")
        ] * 2
        assert {r.event_id[:19] for r in found} == {"count@1970-01-01T01", "count@1970-01-01T02"}
        assert (found[0].channel, found[0].conversation, found[0].message) == (
            "job",
            "job:count",
            "count",
        )


async def test_a_failing_job_says_so_once_and_harms_no_other(
    db: Database, clock: HeldClock, tmp_path: Path
) -> None:
    async with running(Node(db, tmp_path, clock, JOBS)) as node:
        for name in ("fails", "crashes", "removed", "count"):
            await node.scheduler.tick(name, HOUR)
            await node.scheduler.tick(name, HOUR)
        for name in ("fails", "crashes", "removed", "count"):
            await node.result(f"{name}@1970-01-01T01:00:00Z")
        by_name = {run.message: run for run in await node.runs.recent("local")}
        assert by_name["count"].status is RunStatus.SUCCEEDED
        failed = by_name["fails"]
        assert (failed.status, failed.error_type) == (RunStatus.FAILED, "tool")
        assert failed.error_message == "the key [redacted] was refused"
        assert by_name["crashes"].error_type == "ZeroDivisionError"
        assert sorted(node.post.posted) == [
            "local/failed:crashes@1970-01-01T01:00:00Z",
            "local/failed:fails@1970-01-01T01:00:00Z",
            "local/failed:removed@1970-01-01T01:00:00Z",
        ]
        card = node.post.posted["local/failed:fails@1970-01-01T01:00:00Z"].card
        assert card and "hunter2" not in card.body


async def test_what_was_missed_is_caught_up_once_or_skipped(
    db: Database, clock: HeldClock, tmp_path: Path
) -> None:
    first = clock.now() // HOUR * HOUR
    async with running(Node(db, tmp_path, clock, JOBS)) as node:
        await node.scheduler.start()
        assert await node.runs.recent("local") == []
        for name in ("count", "skips"):
            await node.scheduler.tick(name, first)
            await node.result(f"{name}@{iso(first)}")
    clock.advance(5 * 3600)
    async with running(Node(db, tmp_path, clock, JOBS)) as node:
        for scheduler in node.schedulers:
            await scheduler.start()
        await node.result(f"count@{iso(first + 5 * HOUR)}")
        events = {run.event_id for run in await node.runs.recent("local")}
        assert events == {
            f"count@{iso(first)}",
            f"skips@{iso(first)}",
            f"count@{iso(first + 5 * HOUR)}",
        }


async def test_paused_until_resumed_and_run_now_once_a_key(
    db: Database, clock: HeldClock, tmp_path: Path
) -> None:
    async with running(Node(db, tmp_path, clock, JOBS)) as node:
        control = node.scheduler
        await control.pause("local", "count", True)
    async with running(Node(db, tmp_path, clock, JOBS)) as node:
        control = node.scheduler
        await control.tick("count", HOUR)
        assert await node.runs.recent("local") == []
        runs = {await control.run_now("team", "count", "k1") for _ in range(3)}
        assert await node.result("team/count@now:k1") == "counted team"
        [only] = await node.runs.recent("team")
        assert runs == {only.id} and only.status is RunStatus.SUCCEEDED
        await control.pause("local", "count", False)
        await control.tick("count", 2 * HOUR)
        await node.result("count@1970-01-01T02:00:00Z")
        [state, *others] = await control.states("local")
        assert (state.name, state.schedule, state.paused) == ("count", "every hour", False)
        assert (state.last_tick_at, state.last_status) == (clock.now(), "succeeded")
        assert state.next_at > clock.now() and state.last_run_id
        assert [other.name for other in others] == ["skips", "fails", "crashes"]
        with pytest.raises(NotFound, match="cuont"):
            await control.run_now("team", "cuont", "k")


async def test_it_ticks_by_itself(db: Database, tmp_path: Path) -> None:
    ticked = asyncio.Event()

    async def work(services: Services, workspace: str, run_id: str) -> str:
        ticked.set()
        return "done"

    schedule = {"often": Job(work, Schedule(every_seconds=1))}
    async with running(Node(db, tmp_path, SystemClock(), schedule)) as node:
        await node.scheduler.start()
        await ticked.wait()
        [run, *_] = await node.runs.recent("local")
        assert run.event_id.startswith("often@")


async def test_two_processes_one_run_a_tick(postgres_url: str, tmp_path: Path) -> None:
    db = Database(url_of(postgres_url, tmp_path))
    async with db.write() as conn:
        await conn.run_sync(metadata.create_all)
    module = (sys.executable, "-m", "tests.jobs.ticking_node", postgres_url, str(tmp_path))
    nodes = [await asyncio.create_subprocess_exec(*module, name, cwd=ROOT) for name in ("n1", "n2")]
    assert await asyncio.gather(*(node.wait() for node in nodes)) == [0, 0]
    found = await RunStore(db).recent("local", limit=100)
    assert sorted(run.event_id for run in found) == [f"count@{iso(n * HOUR)}" for n in range(1, 21)]
    assert all(run.status is RunStatus.SUCCEEDED for run in found)
    assert len((tmp_path / "done").read_text().splitlines()) == 20
    await db.close()


def iso(ms: int) -> str:
    return datetime.fromtimestamp(ms // 1000, UTC).isoformat().replace("+00:00", "Z")


@given(st.integers(1, 10**6), st.integers(0, 10**9), st.integers(0, 10**9))
def test_the_last_missed_tick_of_an_interval(seconds: int, after: int, later: int) -> None:
    every, until = seconds * 1000, after + later
    found = last_tick(trigger(Schedule(every_seconds=seconds)), after, until)
    expected = (until - 1) // every * every
    assert found == (expected if expected > after else 0)


def test_the_last_missed_tick_of_a_cron() -> None:
    nightly = trigger(Schedule(cron="30 3 * * *"))
    day = 24 * HOUR
    assert next_tick(nightly, 0) == 3 * HOUR + HOUR // 2
    assert last_tick(nightly, 1, 400 * day) == 399 * day + 3 * HOUR + HOUR // 2
    assert last_tick(nightly, 4 * HOUR, day) == 0


def test_the_jobs_there_are() -> None:
    assert list(SCHEDULE) == [
        "analyze",
        "mine",
        "errors",
        "costs",
        "roster",
        "regression",
        "replay",
        "judge",
        "digest",
        "approvals",
        "trials",
        "expire",
        "retention",
        "regroup",
        "vacuum",
    ]
    for job in SCHEDULE.values():
        assert next_tick(trigger(job.schedule), 1) > 0
    assert in_words(SCHEDULE["analyze"].schedule) == "every 5 minutes"
    assert in_words(Schedule(every_seconds=90)) == "every 90 seconds"
    assert in_words(Schedule(cron="0 3 * * *")) == "every day at 03:00 UTC"
    assert in_words(Schedule(cron="0 3 * * 1")) == "cron 0 3 * * 1 UTC"
