"""The database door: transactions, rollback, errors in our words."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text

from bot.errors import StorageError
from storage.engine import Database, url_of
from storage.tables import workspaces
from tests.leaks import open_connections


async def test_what_raises_is_rolled_back(db: Database) -> None:
    with pytest.raises(RuntimeError):
        async with db.write() as conn:
            await conn.execute(insert(workspaces).values(id="w"))
            raise RuntimeError
    async with db.read() as conn:
        assert (await conn.execute(select(workspaces.c.id))).all() == []


async def test_many_writers_wait_for_each_other(db: Database) -> None:
    async def write(number: int) -> None:
        async with db.write() as conn:
            await conn.execute(insert(workspaces).values(id=f"w{number}"))

    await asyncio.gather(*(write(n) for n in range(40)))
    async with db.read() as conn:
        assert len((await conn.execute(select(workspaces.c.id))).all()) == 40


async def test_a_driver_error_is_a_storage_error(db: Database) -> None:
    with pytest.raises(StorageError) as caught:
        async with db.read() as conn:
            await conn.execute(text("SELECT * FROM nowhere"))
    assert caught.value.retry


async def _look(db: Database) -> int:
    async with db.read() as conn:
        return int((await conn.execute(text("SELECT 1"))).scalar_one())


@pytest.mark.parametrize("times", [1, 2])
def test_whoever_is_cancelled_leaves_no_connection(tmp_path: Path, times: int) -> None:
    """At whatever moment: while it is opened, set up, asked or given back."""

    async def cancelled(after: float) -> None:
        db = Database(url_of("", tmp_path))
        looking = asyncio.create_task(_look(db))
        await asyncio.sleep(after)
        for _ in range(times):
            looking.cancel()
            await asyncio.sleep(0)
        await asyncio.gather(looking, return_exceptions=True)
        await db.close()

    for step in range(50):
        asyncio.run(cancelled(step * 0.0001))
    assert not open_connections()


async def test_who_reads_while_it_is_closed_reads_to_the_end(db: Database) -> None:
    looking = [asyncio.create_task(_look(db)) for _ in range(5)]
    await asyncio.sleep(0)
    await db.close()
    assert [await each for each in looking] == [1] * 5
    assert not open_connections()
    with pytest.raises(StorageError):
        await _look(db)
