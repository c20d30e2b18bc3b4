"""What detection takes on a log of a million runs with five steps each, and on a thousand more."""

import asyncio
import os
import random
import resource
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert

from bot import footprint
from bot.clock import SystemClock, SystemIds
from bot.model.agent import AgentVersion
from jobs import analyze, costs, errors, mine, regression, roster
from storage.engine import Database, url_of
from storage.migrate import upgrade
from storage.tables import feedback, runs, steps
from tests.jobs.desk import with_desk

_DAY = 86_400_000
_DAYS = 100
_CHUNK = 5_000
_AGENTS = ("generalist", "researcher", "analyst", "ops", "writer")
_TOPICS = (
    "refund window for a customer who paid by card",
    "weekly sales report for the northern region",
    "invoice that was sent twice to the same address",
    "release notes of the last version of the app",
    "meeting with the suppliers of packaging material",
    "password reset for an account without an email",
    "delivery that is late because of the weather",
    "translation of the terms into plain language",
    "forecast of stock for the coming season",
    "server that answers slowly since this morning",
)
_WORDS = [
    "please",
    "quickly",
    "again",
    "today",
    "now",
    "for",
    "me",
    "with",
    "details",
    "in",
    "short",
    "as",
    "a",
    "list",
    "and",
    "why",
]

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
    more; the peak of memory in MB; the longest that the event loop was held, in ms; the load."""

    first: dict[str, Took]
    more: dict[str, Took]
    peak_mb: float
    held_ms: float
    load: float


async def figures(folder: Path, count: int = 1_000_000, url: str = "") -> Figures:
    folder.mkdir(parents=True, exist_ok=True)
    db = Database(url_of(url, folder))
    await upgrade(db)
    clock, ids = SystemClock(), SystemIds()
    now = clock.now()
    await _fill(db, ids, count, now - _DAYS * _DAY, now - 60_000)
    services = await with_desk(db, clock, ids)
    for name in _AGENTS:
        await services.agents.seed("local", [AgentVersion(name, 1, name, "You help.")])
    footprint.shrink()  # as the process does that serves people
    footprint.settle()
    async with _Watch() as watch:
        first = {name: await _took(work, services) for name, work in JOBS}
        held = watch.longest
        # Outcomes come after those that the first pass has read, and are old enough to be read.
        now = clock.now()
        await _fill(db, ids, 1_000, now - 9_000, now - 7_000, seed=3)
        watch.longest = 0.0  # what fills the database is not what is measured
        more = {name: await _took(work, services) for name, work in JOBS}
    await db.close()
    held_ms = max(held, watch.longest) * 1000
    return Figures(first, more, _peak_mb(), held_ms, os.getloadavg()[1])


async def _took(work: Work, services: Any) -> Took:
    begun, busy = time.perf_counter(), time.process_time()
    said = await work(services, "local", "bench")
    took, busy = time.perf_counter() - begun, time.process_time() - busy
    print(f"  {took:7.2f} s, {busy:.2f} of a core's  {said}", flush=True)
    return Took(took, busy)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class _Watch:
    """How long others had to wait for the event loop at most."""

    longest = 0.0

    async def __aenter__(self) -> "_Watch":
        self._task = asyncio.create_task(self._look())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()

    async def _look(self) -> None:
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(0.005)
            self.longest = max(self.longest, time.perf_counter() - begun - 0.005)


async def _fill(
    db: Database, ids: SystemIds, count: int, since: int, until: int, seed: int = 2
) -> None:
    chance = random.Random(seed)
    made = _runs(chance, ids, count, since, until)
    for begin in range(0, count, _CHUNK):
        batch = [next(made) for _ in range(min(_CHUNK, count - begin))]
        rated = [_thumb(run) for run in batch if run["outcome_source"] == "rating"]
        taken = [step for run in batch for step in _steps(chance, run)]

        def write(
            conn: Connection, batch: list[Any] = batch, taken: Any = taken, rated: Any = rated
        ) -> None:
            conn.execute(insert(runs), batch)
            conn.execute(insert(steps), taken)
            if rated:
                conn.execute(insert(feedback), rated)

        await db.transact(write)


def _runs(
    chance: random.Random, ids: SystemIds, count: int, since: int, until: int
) -> Iterator[dict[str, Any]]:
    """Three in ten runs have an outcome by a check, one in twenty by a rating; one in a hundred
    fails. A version follows the other every 20 days."""
    for number in range(count):
        run_id = ids.run_id()
        at = since + (until - since) * number // count
        failed = chance.random() < 0.01
        drawn = chance.random()
        source = "error" if failed else "rating" if drawn < 0.05 else "check"
        known = failed or drawn < 0.35
        y = 0.0 if failed else float(chance.random() < 0.85)
        latency = round(700 * chance.lognormvariate(0, 0.5))
        message = f"{chance.choice(_TOPICS)} {' '.join(chance.choices(_WORDS, k=5))}"
        yield {
            "id": run_id,
            "workspace": "local",
            "short": run_id[-8:],
            "kind": "request",
            "status": "failed" if failed else "succeeded",
            "channel": "slack",
            "event_id": run_id,
            "conversation": f"c{chance.randrange(20_000)}",
            "person": f"p{chance.randrange(50)}",
            "message": message,
            "agent": chance.choice(_AGENTS),
            "agent_version": 1 + number * 5 // count,
            "answer": "" if failed else "Thirty days, as the terms of the shop say.",
            "outcome": y if known else None,
            "outcome_source": source if known else "",
            "error_type": "timeout" if failed else "",
            "error_message": f"no answer in {latency} ms" if failed else "",
            "tokens_in": 400,
            "tokens_out": 40,
            "cost_usd": 0.0002,
            "node": "n",
            "attempt": 1,
            "created_at": at,
            "started_at": at,
            "finished_at": at + latency,
            "latency_ms": latency,
            "scored_at": at + latency if known else 0,
        }


_PLANS = (
    ("calculator", "http_fetch"),
    ("http_fetch", "calculator"),
    ("recall", "http_fetch"),
    ("run_history", "calculator"),
)


def _steps(chance: random.Random, run: dict[str, Any]) -> Iterator[dict[str, Any]]:
    one, two = chance.choice(_PLANS)
    taken = (("route", run["agent"]), ("model", "m"), ("tool", one), ("tool", two), ("model", "m"))
    for seq, (kind, name) in enumerate(taken):
        broke = kind == "tool" and chance.random() < 0.02
        yield {
            "run_id": run["id"],
            "seq": seq,
            "workspace": "local",
            "kind": kind,
            "name": name,
            "started_at": run["created_at"],
            "duration_ms": 3.0,
            "output": {"text": "Thirty days."},
            "tokens_in": 80,
            "tokens_out": 8,
            "cost_usd": 0.00004,
            "error_type": "tool" if broke else "",
            "error_message": f"host h{seq}.example is not allowed" if broke else "",
        }


def _thumb(run: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"f-{run['id']}",
        "workspace": "local",
        "run_id": run["id"],
        "person": run["person"],
        "rating": 1 if run["outcome"] else -1,
        "text": "",
        "source": "button",
        "created_at": run["finished_at"],
    }
