"""Migrations: the short way and the long way end at the same tables, on both databases."""

import re
from pathlib import Path

import pytest
from sqlalchemy import Connection, MetaData, event, inspect, text

from bot.errors import ConfigError
from bot.model.proposal import Asked
from bot.ports.stores import Closed
from storage import migrate
from storage.asks import AskStore
from storage.engine import Database
from storage.evidence import EvidenceStore
from storage.proposals import ProposalStore
from storage.runs import RunStore
from storage.tables import metadata

_RUN = """
    INSERT INTO runs (id, workspace, short, kind, status, channel, event_id, conversation, person,
        message, node, created_at)
    VALUES ('r1', 'w', '1', 'request', 'succeeded', 'web', 'e', 'c', 'p', 'hello', 'n', 1)
"""
_SCORED = """
    INSERT INTO runs (id, workspace, short, kind, status, channel, event_id, conversation, person,
        message, node, created_at, finished_at, outcome, outcome_source)
    VALUES (:id, 'w', :id, 'request', 'succeeded', 'web', :id, 'c', 'p', 'hello', 'n', 300,
        :finished_at, :outcome, 'rating')
"""
_PROPOSAL = """
    INSERT INTO proposals (id, workspace, number, kind, status, change, risk, fingerprint,
        created_by, decided_by)
    VALUES (:id, 'w', :number, 'memory.new', :status, '{}', 'approver', :id, '', '')
"""


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


async def test_what_the_version_before_kept_is_carried_on(db: Database) -> None:
    await _empty(db)
    said: list[str] = []

    def hear(conn: object, cursor: object, statement: str, *rest: object) -> None:
        said.append(statement)

    async with db.write() as conn:
        await conn.run_sync(migrate.run_migrations, "0001")
        for status, number in (("offered", 1), ("declined", 2)):
            proposal = {"id": f"p{number}", "status": status, "number": number}
            await conn.execute(text(_PROPOSAL), proposal)
        await conn.execute(text(_RUN))
        event.listen(conn.sync_connection, "before_cursor_execute", hear)
        await conn.run_sync(migrate.run_migrations)
    run = await RunStore(db).get("w", "r1")
    assert run and (run.message, run.guest, run.files) == ("hello", False, ())
    kept = await ProposalStore(db).get("w", "P1")
    assert kept and (kept.revision, kept.edited_by, kept.was) == (0, "", ())
    # Who was shown its card is not shown it again
    assert await AskStore(db).get("w", "p1") == Asked(steps=2)
    assert await AskStore(db).get("w", "p2") == Asked()
    assert not [one for one in said if "_alembic_tmp_runs" in one], "the largest table was copied"


async def test_what_was_scored_before_is_read_in_its_order(db: Database) -> None:
    """A run with an outcome gets the time when it ended, or else when it began; others none."""
    await _empty(db)
    async with db.write() as conn:
        await conn.run_sync(migrate.run_migrations, "0002")
        for id, outcome, finished_at in (
            ("r1", 1.0, 700),
            ("r2", 0.0, 500),
            ("r3", 0.5, 0),
            ("r4", None, 900),
        ):
            row = {"id": id, "outcome": outcome, "finished_at": finished_at}
            await conn.execute(text(_SCORED), row)
        await conn.run_sync(migrate.run_migrations)
        found = await conn.execute(text("SELECT id, scored_at FROM runs ORDER BY id"))
        assert [tuple(row) for row in found] == [("r1", 700), ("r2", 500), ("r3", 300), ("r4", 0)]
    page = await EvidenceStore(db).scored("w", Closed, (0, ""), 10_000, 10)
    assert [(run.id, run.y) for run in page] == [("r3", 0.5), ("r2", 0.0), ("r1", 1.0)]


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
