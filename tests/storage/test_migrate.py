"""Migrations: the short way and the long way end at the same tables, on both databases."""

import re
from pathlib import Path

import pytest
from sqlalchemy import Connection, MetaData, inspect, text

from bot.errors import ConfigError
from storage import migrate
from storage.engine import Database
from storage.tables import metadata


async def _empty(db: Database) -> None:
    async with db.write() as conn:
        await conn.run_sync(metadata.drop_all)


def _shape(conn: Connection) -> dict[str, object]:
    found = MetaData()
    found.reflect(conn)
    looked = inspect(conn)
    return {
        name: (
            sorted((c.name, re.sub(r"\(.*", "", str(c.type)), c.nullable) for c in table.columns),
            sorted(str(i["name"]) for i in looked.get_indexes(name)),
            sorted(str(u["name"]) for u in looked.get_unique_constraints(name)),
            sorted(looked.get_pk_constraint(name)["constrained_columns"]),
        )
        for name, table in found.tables.items()
        if name != "alembic_version"
    }


async def test_both_ways_make_the_same_tables(db: Database) -> None:
    async with db.read() as conn:
        made_at_once = await conn.run_sync(_shape)
    await _empty(db)
    async with db.write() as conn:
        await conn.run_sync(migrate.run_migrations)
        assert await conn.run_sync(_shape) == made_at_once
        version = (await conn.execute(text("SELECT version_num FROM alembic_version"))).scalar()
    assert version == migrate.HEAD


async def test_upgrading_twice_changes_nothing(db: Database) -> None:
    await _empty(db)
    assert "new database" in await migrate.upgrade(db)
    assert "already" in await migrate.upgrade(db)


async def test_a_database_from_the_future_is_left_alone(db: Database) -> None:
    await _empty(db)
    await migrate.upgrade(db)
    async with db.write() as conn:
        await conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigError) as caught:
        await migrate.upgrade(db)
    assert "9999" in caught.value.said


def test_the_head_is_the_newest_file() -> None:
    folder = Path(migrate.__file__).parent / "migrations" / "versions"
    assert max(path.name[:4] for path in folder.glob("0*.py")) == migrate.HEAD
