"""The database: SQLite or PostgreSQL behind one small door, errors translated."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.errors import StorageError

_BUSY_MS = 10_000


def url_of(setting: str, home: Path) -> URL:
    """The async form of the setting's URL; "" is SQLite in the home folder."""
    url = make_url(setting or f"sqlite:///{home / 'ratchet.sqlite'}")
    driver = "sqlite+aiosqlite" if url.drivername.startswith("sqlite") else "postgresql+asyncpg"
    return url.set(drivername=driver)


class Database:
    """Connections and transactions. Every error of the driver leaves it as a StorageError."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self.sqlite = url.drivername.startswith("sqlite")
        self._engine = _sqlite(url) if self.sqlite else _postgres(url)
        # SQLite has one writer: waiting here in order is cheaper and fairer than its busy polling.
        self._writer = asyncio.Lock()

    @property
    def engine(self) -> AsyncEngine:
        return self._engine

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for queries, each its own snapshot."""
        with _translated():
            async with self._engine.connect() as conn:
                yield conn

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction: committed at the end of the block, rolled back if it raises."""
        with _translated():
            async with AsyncExitStack() as stack:
                if self.sqlite:
                    await stack.enter_async_context(self._writer)
                conn = await stack.enter_async_context(self._engine.connect())
                if self.sqlite:
                    await conn.exec_driver_sql("BEGIN IMMEDIATE")
                try:
                    yield conn
                    await conn.commit()
                except BaseException:
                    await asyncio.shield(conn.rollback())
                    raise

    async def close(self) -> None:
        await self._engine.dispose()


class _translated:
    """Turns what the driver raises into StorageError; integrity errors are ours to fix."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, IntegrityError):
            return
        if isinstance(error, SQLAlchemyError | OSError | ConnectionError):
            cause = str(error.orig) if isinstance(error, DBAPIError) else str(error)
            raise StorageError(f"{type(error).__name__}: {cause}", said=_said(cause)) from error


def _said(cause: str) -> str:
    if "full" in cause:
        return "The disk is full, so I can't record anything. Free some space, then ask again."
    if "locked" in cause:
        return "The database is busy with something else. Please try again in a moment."
    return "I can't reach my database right now. Nothing is lost; please try again in a moment."


def _sqlite(url: URL) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=4,
        max_overflow=4,
        # None leaves transactions to us: the driver would begin them late and deferred.
        connect_args={"isolation_level": None, "timeout": _BUSY_MS / 1000},
    )

    def configure(connection: Any, _: Any) -> None:
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout={_BUSY_MS}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "cache_size=-8000",
            "temp_store=MEMORY",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    event.listen(engine.sync_engine, "connect", configure)
    return engine


def _postgres(url: URL) -> AsyncEngine:
    return create_async_engine(url, pool_size=8, max_overflow=8, pool_pre_ping=True)
