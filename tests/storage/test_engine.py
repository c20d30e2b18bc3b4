"""The database door: transactions, rollback, errors in our words."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest
from sqlalchemy import bindparam, insert, literal, literal_column, select, text, tuple_

from bot.errors import StorageError
from storage.constant import Constant
from storage.engine import Database, url_of
from storage.tables import holds, states, workspaces
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


_ONE = Constant(select(literal(1).label("one")))


async def _look(db: Database) -> int:
    async with db.read() as conn:
        return int((await conn.execute(text("SELECT 1"))).scalar_one())


async def _rows(db: Database) -> int:
    (row,) = await db.rows(_ONE)
    return int(row["one"])


_WAYS = pytest.mark.parametrize("look", [_look, _rows])
Look = Callable[[Database], Coroutine[None, None, int]]


async def test_a_constant_query_reads_what_was_written(db: Database) -> None:
    reading = select(holds, literal(True).label("so")).where(holds.c.workspace == bindparam("of"))
    constant = Constant(reading.order_by(holds.c.what).limit(1))
    for what in ("loop", "agent:ops"):
        row = {"workspace": "w", "what": what, "by": "owner", "reason": "é", "created_at": 5}
        assert await db.change(insert(holds), row) == 1
    (found,) = await db.rows(constant, {"of": "w"})
    assert (found["what"], found["reason"], found["created_at"]) == ("agent:ops", "é", 5)
    assert found["so"] is True
    assert [dict(row) for row in await db.rows(constant.query, {"of": "w"})] == [dict(found)]
    assert await db.rows(constant, {"of": "other"}) == []


async def test_lists_of_any_length_are_bound_one_by_one(db: Database) -> None:
    pair = tuple_(holds.c.what, holds.c.by)
    some = select(holds.c.what).where(holds.c.workspace == bindparam("of"))
    by_name = Constant(some.where(holds.c.what.in_(bindparam("names", expanding=True))))
    by_pair = Constant(some.where(pair.in_(bindparam("pairs", expanding=True))))
    for workspace, what in (("w", "loop"), ("w", "agent:ops"), ("v", "loop")):
        row = {"workspace": workspace, "what": what, "by": "owner", "reason": "", "created_at": 5}
        await db.change(insert(holds), row)

    async def found(query: Constant, **values: object) -> list[str]:
        return sorted(row["what"] for row in await db.rows(query, values))

    assert await found(by_name, of="w", names=["loop"]) == ["loop"]
    assert await found(by_name, of="w", names=["loop", "agent:ops", "x"]) == ["agent:ops", "loop"]
    assert await found(by_name, of="v", names=["agent:ops"]) == []
    assert await found(by_name, of="w", names=[]) == []
    assert await found(by_pair, of="w", pairs=[("loop", "owner"), ("x", "y")]) == ["loop"]
    assert await found(by_pair, of="w", pairs=[("agent:ops", "me")]) == []


async def test_json_of_a_constant_query_is_read_as_json(db: Database) -> None:
    values = {"workspace": "w", "name": "n", "watermark": "", "state": {"a": [1, None]}}
    await db.change(insert(states), {**values, "revision": 1, "updated_at": 1})
    query = Constant(select(states).where(states.c.workspace == bindparam("of")))
    (found,) = await db.rows(query, {"of": "w"})
    assert found["state"] == {"a": [1, None]}


async def test_what_a_constant_query_fails_with_is_a_storage_error(db: Database) -> None:
    with pytest.raises(StorageError) as caught:
        await db.rows(Constant(select(literal_column("nothing"))))
    assert caught.value.retry


@_WAYS
@pytest.mark.parametrize("times", [1, 2])
def test_whoever_is_cancelled_leaves_no_connection(tmp_path: Path, times: int, look: Look) -> None:
    """At whatever moment: while it is opened, set up, asked or given back."""

    async def cancelled(after: float) -> None:
        db = Database(url_of("", tmp_path))
        looking = asyncio.create_task(look(db))
        await asyncio.sleep(after)
        for _ in range(times):
            looking.cancel()
            await asyncio.sleep(0)
        await asyncio.gather(looking, return_exceptions=True)
        await db.close()

    for step in range(50):
        asyncio.run(cancelled(step * 0.0001))
    assert not open_connections()


@_WAYS
async def test_who_reads_while_it_is_closed_reads_to_the_end(db: Database, look: Look) -> None:
    looking = [asyncio.create_task(look(db)) for _ in range(5)]
    await asyncio.sleep(0)
    await db.close()
    assert [await each for each in looking] == [1] * 5
    assert not open_connections()
    with pytest.raises(StorageError):
        await look(db)
