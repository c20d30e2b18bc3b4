"""SQLite's plain driver in threads of its own: one hop for all that is to be done at once.

The async driver takes a hop between threads for each thing it does: three times as long for a read.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, NullPool, create_engine, event

from storage.sqlite import finished

T = TypeVar("T")

_BUSY_MS = 10_000
_READERS = 4
_LAST_READS_WITHIN = 10.0

# isolation_level None leaves transactions to us: the driver would begin them late and deferred.
ARGS = {"isolation_level": None, "timeout": _BUSY_MS / 1000, "check_same_thread": False}

_PRAGMAS = (
    f"busy_timeout={_BUSY_MS}",
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "cache_size=-8000",
    "temp_store=MEMORY",
)


def opened(file: str, options: Mapping[str, Any]) -> sqlite3.Connection:
    """A connection that is set up. Who is cancelled between its pragmas would leave one unread, and
    with it a lock on the file, on which the next would wait."""
    connection: sqlite3.Connection = sqlite3.connect(file, **{**options, **ARGS})
    _configure(connection, None)
    return connection


def _configure(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


class PlainDriver:
    """One thread writes, a few read. Whoever writes sees to it that nobody else does."""

    def __init__(self, url: URL) -> None:
        self._engine = create_engine(
            url.set(drivername="sqlite"), poolclass=NullPool, connect_args=ARGS
        )
        event.listen(self._engine, "connect", _configure)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="reader")
        self._idle: deque[Connection] = deque()
        self._writing: Connection | None = None
        self._under_way: set[asyncio.Future[Any]] = set()

    def connect(self) -> Connection:
        """One more, for whoever closes it again."""
        return self._engine.connect()

    async def transact(self, work: Callable[[Connection], T]) -> T:
        return await self._within(self._writer, self._transact, work)

    async def look(self, work: Callable[[Connection], T]) -> T:
        return await self._within(self._readers, self._look, work)

    async def _within(
        self, threads: ThreadPoolExecutor, do: Callable[[Callable[[Connection], T]], T], work: Any
    ) -> T:
        doing = asyncio.get_running_loop().run_in_executor(threads, do, work)
        self._under_way.add(doing)
        doing.add_done_callback(self._under_way.discard)
        return await finished(doing)

    def _transact(self, work: Callable[[Connection], T]) -> T:
        if self._writing is None:
            self._writing = self._engine.connect()
        conn = self._writing
        try:
            conn.exec_driver_sql("BEGIN IMMEDIATE")
            result = work(conn)
            conn.commit()
            return result
        except BaseException:
            conn.rollback()
            raise

    def _look(self, work: Callable[[Connection], T]) -> T:
        conn = self._idle.pop() if self._idle else self._engine.connect()
        try:
            return work(conn)
        finally:
            conn.rollback()
            self._idle.append(conn)

    async def close(self) -> None:
        """Lets those who are at it finish; leaves no connection and no thread."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_READS_WITHIN):
                while self._under_way:
                    await asyncio.wait(self._under_way)
        opened = [*self._idle, *((self._writing,) if self._writing else ())]
        self._idle.clear()
        self._writing = None
        for conn in opened:
            await asyncio.get_running_loop().run_in_executor(self._writer, conn.close)
        self._engine.dispose()
        self._readers.shutdown()
        self._writer.shutdown()
