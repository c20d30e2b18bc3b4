"""The driver of SQLite for asyncio, of which nothing is left behind, whoever is cancelled when.

aiosqlite keeps a thread for each connection. A caller that is cancelled goes on before its thread
does, so that a loop may end under it, and who waits for a thread told to stop twice waits forever.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import aiosqlite

T = TypeVar("T")


async def finished(work: "asyncio.Future[T]") -> T:
    """What came of it. Who is cancelled meanwhile learns of it then: a thread can't be stopped."""
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        while not work.done():
            try:
                await asyncio.wait([work])
            except asyncio.CancelledError:
                continue
        if not work.cancelled():
            work.exception()  # whoever is cancelled doesn't ask
        raise


class Connection(aiosqlite.Connection):
    """Its thread is idle, or has ended, wherever a caller goes on."""

    def __init__(self, opening: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(opening, iter_chunk_size=64)
        self._thread.daemon = True
        self._ending: asyncio.Future[Any] | None = None

    def stop(self) -> "asyncio.Future[Any] | None":
        if self._running:
            self._ending = super().stop()
        return self._ending

    async def close(self) -> None:
        ending = self.stop()
        if ending is not None:
            await finished(ending)

    async def _connect(self) -> "Connection":
        opening = self._begun(self._connector)
        try:
            await finished(opening)
        except BaseException:
            if opening.done() and not opening.exception():
                self._connection = opening.result()
            await self.close()
            raise
        self._connection = opening.result()
        return self

    async def _execute(self, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        if not self._running or self._connection is None:
            raise ValueError("Connection closed")
        return await finished(self._begun(partial(fn, *args, **kwargs)))

    def _begun(self, work: Callable[[], T]) -> "asyncio.Future[T]":
        future = asyncio.get_running_loop().create_future()
        self._tx.put_nowait((future, work))
        return future
