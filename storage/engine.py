"""The database: SQLite or PostgreSQL behind one small door, errors translated."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

from sqlalchemy import URL, Connection, CursorResult, Executable, QueuePool, make_url
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.errors import StorageError
from storage import sqlite
from storage.constant import Constant, Row
from storage.plain import PlainDriver, opened
from storage.sqlite import finished

T = TypeVar("T")

_LAST_USES_WITHIN = 10.0


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
        self._closed = False
        self._plain = PlainDriver(url) if self.sqlite else None

    @property
    def engine(self) -> AsyncEngine:
        return self._engine

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for queries, each its own snapshot."""
        with _translated():
            async with self._connect() as conn:
                yield conn

    async def rows(
        self, query: Constant | Executable, values: Mapping[str, Any] | None = None
    ) -> Sequence[Row]:
        """Every row of one query, by column: for queries that find a few."""
        if isinstance(query, Constant) and self._plain:
            return await self.look(partial(query.read, values=values or {}))
        asked = query.query if isinstance(query, Constant) else query
        return await self.look(lambda conn: conn.execute(asked, values).mappings().all())

    async def look(self, work: Callable[[Connection], T]) -> T:
        """Runs `work`, which only reads. On SQLite it runs in a thread with the plain driver."""
        if self._plain is None:
            async with self.read() as conn:
                return await conn.run_sync(work)
        with _translated():
            self._refuse_if_closed()
            return await self._plain.look(work)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction: committed at the end of the block, rolled back if it raises."""
        with _translated():
            async with AsyncExitStack() as stack:
                if self.sqlite:
                    await stack.enter_async_context(self._writer)
                conn = await stack.enter_async_context(self._connect())
                if self.sqlite:
                    await conn.exec_driver_sql("BEGIN IMMEDIATE")
                try:
                    yield conn
                    await conn.commit()
                except BaseException:
                    await finished(asyncio.ensure_future(conn.rollback()))
                    raise

    async def transact(self, work: Callable[[Connection], T]) -> T:
        """Runs `work` in one transaction, committed when it returns. On SQLite it runs in one
        thread of its own with the plain driver."""
        if self._plain is None:
            async with self.write() as conn:
                return await conn.run_sync(work)
        with _translated():
            async with self._writer:
                self._refuse_if_closed()
                return await self._plain.transact(work)

    async def change(
        self, changing: Executable, values: Mapping[str, Any] | Sequence[Mapping[str, Any]] = ()
    ) -> int:
        """One statement, committed; how many rows it touched."""
        return await self.transact(lambda conn: _touched(conn.execute(changing, values or None)))

    async def close(self) -> None:
        """Takes no more, lets those who are at it finish, and leaves no connection and no thread."""
        self._closed = True
        await finished(asyncio.ensure_future(self._close()))

    async def _close(self) -> None:
        pool = cast(QueuePool, self._engine.pool)
        # What comes back to a pool that is gone is closed by nobody.
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_USES_WITHIN):
                while pool.checkedout():
                    await asyncio.sleep(0.005)
        await self._engine.dispose()
        if self._plain:
            async with self._writer:
                await self._plain.close()

    def _connect(self) -> AsyncConnection:
        self._refuse_if_closed()
        return self._engine.connect()

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise StorageError("the database is closed")


def _touched(result: CursorResult[Any]) -> int:
    return result.rowcount


class _translated:
    """Turns what the driver raises into StorageError; values that it refuses are ours to fix."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, sqlite3.IntegrityError | sqlite3.DataError):
            return
        if isinstance(error, DBAPIError) and _refused(error):
            return
        if isinstance(error, SQLAlchemyError | sqlite3.Error | OSError | ConnectionError):
            cause = str(error.orig) if isinstance(error, DBAPIError) else str(error)
            raise StorageError(f"{type(error).__name__}: {cause}", said=_said(cause)) from error


def _refused(error: DBAPIError) -> bool:
    """Whether it is the value that can't be stored, however often it is tried."""
    if isinstance(error, IntegrityError | DataError):
        return True
    # asyncpg tells by SQLSTATE class 22, or before it sends anything by an error that is a
    # ValueError too.
    state = str(getattr(error.orig, "sqlstate", None) or "")
    return state.startswith("22") or isinstance(getattr(error.orig, "__cause__", None), ValueError)


def _said(cause: str) -> str:
    if "full" in cause:
        return "The disk is full, so I can't record anything. Free some space, then ask again."
    if "locked" in cause:
        return "The database is busy with something else. Please try again in a moment."
    return "I can't reach my database right now. Nothing is lost; please try again in a moment."


def _sqlite(url: URL) -> AsyncEngine:
    (file,), options = url.get_dialect()().create_connect_args(url)
    return create_async_engine(
        url,
        pool_size=6,
        max_overflow=0,
        async_creator=partial(sqlite.Connection, partial(opened, file, options)),
    )


def _postgres(url: URL) -> AsyncEngine:
    return create_async_engine(url, pool_size=8, max_overflow=8, pool_pre_ping=True)
