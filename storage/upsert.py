"""What SQLite and PostgreSQL say differently: insert-unless-there, and locks by name."""

from typing import Any

from sqlalchemy import Table, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.engine import Database


def insert(db: Database, table: Table) -> Any:
    """An insert that knows `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return sqlite.insert(table) if db.sqlite else postgresql.insert(table)


async def hold(db: Database, conn: AsyncConnection, *name: str) -> None:
    """Until the transaction ends nobody else holds this name. SQLite has one writer anyway."""
    if not db.sqlite:
        key = func.hashtextextended("\x1f".join(name), 0)
        await conn.execute(select(func.pg_advisory_xact_lock(key)))
