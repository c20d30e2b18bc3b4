"""What detection takes on a log of a million runs with five steps each, and on a thousand more."""

import asyncio
import os
import resource
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.made_log import AGENTS, fill
from bot import footprint
from bot.clock import SystemClock, SystemIds
from bot.model.agent import AgentVersion
from jobs import analyze, costs, errors, mine, regression, roster
from storage.engine import Database, url_of
from storage.migrate import upgrade
from tests.jobs.desk import with_desk

_DAYS = 100 * 86_400_000

Work = Callable[..., Awaitable[str]]
JOBS: Sequence[tuple[str, Work]] = (
    ("analyze", analyze.work),
    ("errors", errors.work),
    ("regression", regression.work),
    ("costs", costs.work),
    ("roster", roster.work),
    ("mine", mine.work),
)


class Took(NamedTuple):
    seconds: float
    core: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds by job (on the clock, of a core's), of the first pass and of one over a thousand runs
    more; the peak of memory in MB; the longest that the event loop was held (the same, in ms); the
    load."""

    first: dict[str, Took]
    more: dict[str, Took]
    peak_mb: float
    held: Took
    load: float


async def figures(folder: Path, count: int = 1_000_000, url: str = "") -> Figures:
    folder.mkdir(parents=True, exist_ok=True)
    db = Database(url_of(url, folder))
    await upgrade(db)
    clock, ids = SystemClock(), SystemIds()
    now = clock.now()
    await fill(db, ids, count, now - _DAYS, now - 60_000)
    services = await with_desk(db, clock, ids)
    for name in AGENTS:
        await services.agents.seed("local", [AgentVersion(name, 1, name, "You help.")])
    footprint.shrink()  # as the process does that serves people
    footprint.settle()
    async with _Watch() as watch:
        first = {name: await _took(work, services) for name, work in JOBS}
        held = watch.longest
        # Outcomes come after those that the first pass has read, and are old enough to be read.
        now = clock.now()
        await fill(db, ids, 1_000, now - 9_000, now - 7_000, seed=3)
        watch.longest = Took(0.0, 0.0)  # what fills the database is not what is measured
        more = {name: await _took(work, services) for name, work in JOBS}
    await db.close()
    held = Took(*(1000 * max(both) for both in zip(held, watch.longest, strict=True)))
    return Figures(first, more, _peak_mb(), held, os.getloadavg()[1])


async def _took(work: Work, services: Any) -> Took:
    begun, busy = time.perf_counter(), time.process_time()
    said = await work(services, "local", "bench")
    took, busy = time.perf_counter() - begun, time.process_time() - busy
    print(f"  {took:7.2f} s, {busy:.2f} of a core's  {said}", flush=True)
    return Took(took, busy)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class _Watch:
    """How long others had to wait for the event loop at most: on the clock, where the machine has
    other work too, and of a core's by the loop's own thread."""

    longest = Took(0.0, 0.0)

    async def __aenter__(self) -> "_Watch":
        self._task = asyncio.create_task(self._look())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()

    async def _look(self) -> None:
        while True:
            begun, busy = time.perf_counter(), time.thread_time()
            await asyncio.sleep(0.005)
            held = time.perf_counter() - begun - 0.005, time.thread_time() - busy
            self.longest = Took(*map(max, self.longest, held))
