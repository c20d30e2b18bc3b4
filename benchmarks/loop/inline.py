"""No threads to SQLite and no HTTP to the simulated server: a team never does two things at once."""

import importlib
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar, cast

from sqlalchemy import Connection

from bot.llm.simulated.server import SimulatedServer
from bot.llm.simulated.world import World
from storage.engine import Database
from storage.plain import PlainDriver

T = TypeVar("T")


@contextmanager
def installed() -> Iterator[None]:
    """For this process, as long as it lasts. Each statement otherwise crosses to a thread and back,
    and through two layers that make a plain driver asynchronous: most of a simulation's time. The
    statements, the database and what the product does with them stay the same."""
    driver, database = cast(Any, PlainDriver), cast(Any, Database)
    before = (driver._within, database._connect, database._close)
    driver._within, database._connect, database._close = _here, _connect, _close
    try:
        yield
    finally:
        driver._within, database._connect, database._close = before


@asynccontextmanager
async def near(
    world: World, seed: int, passes: Callable[[float], None]
) -> AsyncIterator[SimulatedServer]:
    """A simulated server that is reached without a socket."""
    async with SimulatedServer(world, seed, passes) as server:
        with _no_socket(server):
            yield server


@contextmanager
def _no_socket(server: SimulatedServer) -> Iterator[None]:
    """What the model client asks of this server is handed over as the JSON that would have been
    sent, and answered likewise: HTTP takes nine tenths of a simulated model call."""
    client: Any = importlib.import_module("openai").AsyncOpenAI
    sent = client.post

    async def handed(self: Any, path: str, *, body: Any, **named: Any) -> Any:
        url = str(self.base_url).rstrip("/")
        if url != server.url or path != "/chat/completions" or named.get("stream"):
            return await sent(self, path, body=body, **named)
        return _as_json(await server.completion(_as_json(body)))

    client.post = handed
    try:
        yield
    finally:
        client.post = sent


def _as_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


async def _here(self: Any, threads: Any, do: Callable[[Any], T], work: Any) -> T:
    return do(work)


class _Plain:
    """As much of an AsyncConnection as the stores use."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    async def execute(self, *args: Any, **named: Any) -> Any:
        return self._conn.execute(*args, **named)

    async def exec_driver_sql(self, said: str) -> Any:
        return self._conn.exec_driver_sql(said)

    async def run_sync(self, work: Callable[..., T], *args: Any) -> T:
        return work(self._conn, *args)

    async def commit(self) -> None:
        self._conn.commit()

    async def rollback(self) -> None:
        self._conn.rollback()


_closed = Database._close


async def _close(self: Any) -> None:
    for conn in self.__dict__.pop("_idle", ()):
        conn.close()
    await _closed(self)


@asynccontextmanager
async def _connect(self: Any) -> AsyncIterator[_Plain]:
    """One that nobody else has meanwhile; kept for the next."""
    self._refuse_if_closed()
    idle: list[Connection] = self.__dict__.setdefault("_idle", [])
    conn = idle.pop() if idle else self._plain.connect()
    try:
        yield _Plain(conn)
    finally:
        conn.rollback()
        if self._closed:
            conn.close()
        else:
            idle.append(conn)
