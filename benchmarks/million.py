"""What a person waits for in a log of a million runs, on a database made for the occasion."""

import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert

from bot.clock import SystemIds
from bot.model.run import Run, RunKind, RunStatus, Step, StepKind, Usage
from storage.engine import Database, url_of
from storage.metrics import MetricsStore
from storage.migrate import upgrade
from storage.rows import run_row, step_row
from storage.runs import RunStore
from storage.tables import runs, steps

_DAY = 86_400_000
_START = 1_780_000_000_000
_DAYS = 100
_CONVERSATIONS = 20_000
_AGENTS = ("generalist", "researcher", "analyst", "ops", "writer")
_CHUNK = 5_000


async def figures(folder: Path, count: int = 1_000_000) -> dict[str, float]:
    """Medians in ms over 30 readings each, by name."""
    db = Database(url_of("", folder))
    await upgrade(db)
    known = await _fill(db, count)
    store, metrics = RunStore(db), MetricsStore(db)
    chance = random.Random(1)

    async def last_twenty() -> Any:
        conversation = f"c{chance.randrange(_CONVERSATIONS)}"
        return await store.recent("local", conversation=conversation, limit=20)

    async def one_day() -> Any:
        since = _START + chance.randrange(_DAYS) * _DAY
        return await metrics.spans("local", [since, since + _DAY])

    async def with_steps() -> Any:
        run_id = chance.choice(known)
        return await store.get("local", run_id), await store.steps("local", run_id)

    result = {
        "last 20 runs of a conversation": await _median(last_twenty),
        "a day's aggregate": await _median(one_day),
        "a run with its steps": await _median(with_steps),
    }
    await db.close()
    return result


async def _median(read: Callable[[], Awaitable[Any]]) -> float:
    took = []
    for _ in range(30):
        begun = time.perf_counter()
        if not await read():
            raise RuntimeError("nothing was read")
        took.append((time.perf_counter() - begun) * 1000)
    return statistics.median(took)


async def _fill(db: Database, count: int) -> list[str]:
    """Writes the runs, four steps each; returns some of their ids."""
    chance, ids, known = random.Random(2), SystemIds(), list[str]()
    made = _runs(chance, ids, count)
    for begin in range(0, count, _CHUNK):
        batch = [next(made) for _ in range(min(_CHUNK, count - begin))]
        known.append(batch[0].id)

        def write(conn: Connection, batch: list[Run] = batch) -> None:
            rows = [{**run_row(r), "latency_ms": 700, "finished_at": r.created_at} for r in batch]
            conn.execute(insert(runs), rows)
            conn.execute(insert(steps), [step_row(r, s) for r in batch for s in _STEPS])

        await db.transact(write)
    return known


_STEPS = tuple(
    Step(seq, kind, name, _START, 3.0, None, {"text": "Thirty days."}, Usage(200, 20, 0, 0.0001))
    for seq, (kind, name) in enumerate(
        [
            (StepKind.ROUTE, "generalist"),
            (StepKind.MODEL, "gpt-4o-mini"),
            (StepKind.TOOL, "calculator"),
            (StepKind.MODEL, "gpt-4o-mini"),
        ]
    )
)


def _runs(chance: random.Random, ids: SystemIds, count: int) -> Iterator[Run]:
    for number in range(count):
        run_id = ids.run_id()
        yield Run(
            id=run_id,
            workspace="local",
            kind=RunKind.REQUEST,
            status=RunStatus.SUCCEEDED,
            channel="slack",
            event_id=run_id,
            conversation=f"c{chance.randrange(_CONVERSATIONS)}",
            person=f"p{chance.randrange(50)}",
            message="How long is the refund window for a customer who paid by card?",
            created_at=_START + number * _DAYS * _DAY // count,
            agent=chance.choice(_AGENTS),
            agent_version=chance.randrange(1, 4),
            usage=Usage(400, 40, 0, 0.0002),
        )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made_folder:
        print(asyncio.run(figures(Path(made_folder))))
