"""Ticks are claimed once, pauses and watermarks stay."""

import asyncio

from sqlalchemy import insert

from bot.model.job import JobState, conversation_of
from storage.engine import Database
from storage.jobstates import JobStateStore
from storage.rows import run_row
from storage.tables import runs
from tests.storage.test_metrics import TODAY, a_run


async def test_one_run_gets_a_tick(db: Database) -> None:
    states = JobStateStore(db)
    claims = [states.claim_tick("w", "analyze", 1000, f"r{n}") for n in range(8)]
    won = await asyncio.gather(*claims)
    assert won.count(True) == 1
    winner = f"r{won.index(True)}"
    assert await states.claim_tick("w", "analyze", 1000, winner)
    assert await states.claim_tick("w", "analyze", 2000, "r9")
    assert await states.claim_tick("w", "expire", 1000, "r9")
    assert await states.last_tick("w", "analyze") == 2000
    assert await states.last_tick("other", "analyze") == 0


async def test_pauses_and_watermarks(db: Database) -> None:
    states = JobStateStore(db)
    await states.set_watermark("w", "analyze", 50)
    await states.set_watermark("w", "analyze", 40)
    assert await states.watermark("w", "analyze") == 50
    assert await states.watermark("other", "analyze") == 0
    await states.set_paused("w", "analyze", True)
    await states.set_paused("w", "expire", True)
    await states.set_paused("w", "expire", False)
    assert await states.paused("w") == {"analyze"}
    assert await states.watermark("w", "analyze") == 50


async def test_the_list_shows_the_last_run(db: Database) -> None:
    states = JobStateStore(db)
    async with db.write() as conn:
        for number, name in ((1, "analyze"), (2, "analyze"), (3, "other")):
            run = a_run(number, conversation=conversation_of(name))
            await conn.execute(insert(runs).values(run_row(run)))
    await states.claim_tick("w", "analyze", 1000, "r1")
    await states.set_paused("w", "expire", True)
    assert await states.of("w", ["expire", "analyze", "new"]) == [
        JobState("expire", "", True, 0, "", "", 0),
        JobState("analyze", "", False, TODAY + 2, "r2", "succeeded", 0),
        JobState("new", "", False, 0, "", "", 0),
    ]
