"""The database door: transactions, rollback, errors in our words."""

import asyncio

import pytest
from sqlalchemy import insert, select, text

from bot.errors import StorageError
from storage.engine import Database
from storage.tables import workspaces


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
