"""The durable engine: DBOS behind our own port, on a thread and an event loop of its own."""

import asyncio
import importlib
import logging
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import make_url

from bot.errors import Held, StorageError
from bot.ports.durable import Work

T = TypeVar("T")

# DBOS numbers an application by a hash of its source and strands what an older hash began, so the
# version is ours and stays; a changed workflow keeps reading what it had recorded.
_VERSION = "1"
_ONE_PROCESS = "local"
_POLL_SECONDS = 0.1
_CHUNK = 200

_STATUS = {"SUCCESS": "done", "CANCELLED": "cancelled"} | dict.fromkeys(
    ("ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"), "failed"
)

# The engine is one per process: its API is class methods over a global instance.
_ENGINE = threading.Lock()


class DbosDurable:
    """Workflows in `<home>/durable.sqlite`, or in `postgres` where several nodes share the work.

    The engine makes itself the default executor of any loop it is called on, and leaves it broken
    when it stops; so it gets a loop of its own, and work hops back to the caller's. The caller's
    context goes along, by which the engine knows the workflow that a step belongs to.

    `standing` names the nodes that nobody has declared dead.
    """

    def __init__(
        self,
        home: Path,
        node: str,
        *,
        postgres: str = "",
        schema: str = "dbos",
        standing: Callable[[], Awaitable[set[str]]] | None = None,
    ) -> None:
        self._file = None if postgres else home / "durable.sqlite"
        self._url = _engine_url(postgres) if postgres else f"sqlite:///{self._file}"
        self._schema = schema
        # A SQLite file has one process, which inherits whatever an earlier one left in it.
        self._executor = node if postgres else _ONE_PROCESS
        self._standing = standing
        self._works: dict[str, Work] = {}
        self._started: dict[str, Any] = {}
        self._dbos: Any = None
        self._launching = asyncio.Lock()

    def register(self, name: str, work: Work) -> None:
        self._works[name] = work

    @property
    def launched(self) -> bool:
        return self._dbos is not None

    async def launch(self) -> None:
        """Imports the engine (about a second) and connects, off the caller's loop.

        A launch that is cancelled comes to its end all the same: `close` waits for it.
        """
        await asyncio.shield(asyncio.ensure_future(self._launch_whole()))

    async def _launch_whole(self) -> None:
        async with self._launching:
            if self.launched:
                return
            if not _ENGINE.acquire(blocking=False):
                raise Held("the durable engine runs already in this process")
            self._home = asyncio.get_running_loop()
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(
                target=self._loop.run_forever, name="durable", daemon=True
            )
            self._thread.start()
            try:
                self._dbos = await self._there(self._launch())
            except Exception as error:
                await self._stop(await asyncio.to_thread(importlib.import_module, "dbos"))
                raise StorageError(f"the durable engine did not start: {error!r}") from error
        await self._adopt()

    async def close(self) -> None:
        """Stops every thread of the engine; unfinished workflows go on at the next launch."""
        async with self._launching:
            if self.launched:
                engine, self._dbos = self._dbos, None
                await self._stop(engine)

    async def start(self, name: str, workflow_id: str, *args: object) -> None:
        engine = self._engine()
        workflow = self._started[name]

        async def go() -> None:
            with engine.SetWorkflowID(workflow_id):
                await engine.DBOS.start_workflow_async(workflow, *args)

        await self._there(go())

    async def step(self, name: str, work: Work, *args: object) -> object:
        async def once() -> object:
            return await self._here(work, *args)

        options = {"name": name}
        return await self._there(self._engine().DBOS.run_step_async(options, once))

    async def sleep(self, seconds: float) -> None:
        await self._there(self._engine().DBOS.sleep_async(seconds))

    async def receive(self, topic: str, timeout: float) -> object | None:
        value: object = await self._there(self._engine().DBOS.recv_async(topic, timeout))
        return value

    async def send(self, workflow_id: str, topic: str, value: object) -> None:
        await self._there(self._engine().DBOS.send_async(workflow_id, value, topic))

    async def result(self, workflow_id: str, timeout: float) -> object:
        engine = self._engine()

        async def wait() -> object:
            handle = await engine.DBOS.retrieve_workflow_async(workflow_id, existing_workflow=False)
            async with asyncio.timeout(timeout):
                return await handle.get_result(polling_interval_sec=_POLL_SECONDS)

        return await self._there(wait())

    async def status(self, workflow_id: str) -> str | None:
        found = await self._there(self._engine().DBOS.get_workflow_status_async(workflow_id))
        return None if found is None else _STATUS.get(found.status, "pending")

    async def take_over(self, dead_node: str) -> int:
        """Before the launch it does nothing: the launch takes over from everyone who is dead."""
        return await self._recover({dead_node}) if self.launched else 0

    async def rejoin(self, node: str) -> None:
        if self._file is None and node != self._executor:
            self._executor = node
            if self.launched:
                await self.close()
                await self.launch()

    async def forget(self, before: int) -> int:
        engine, forgotten = self._engine(), 0
        while True:
            ended = await self._there(
                engine.DBOS.list_workflows_async(
                    status=list(_STATUS),
                    completed_before=datetime.fromtimestamp(before / 1000, UTC).isoformat(),
                    limit=_CHUNK,
                    load_input=False,
                    load_output=False,
                )
            )
            if not ended:
                return forgotten
            ids = [workflow.workflow_id for workflow in ended]
            await self._there(engine.DBOS.delete_workflows_async(ids))
            forgotten += len(ids)

    async def _adopt(self) -> None:
        """Also what a node left whose reaper died before it could take over."""
        if self._file is None and self._standing is not None:
            unfinished = await self._there(
                self._engine().DBOS.list_workflows_async(
                    status="PENDING", load_input=False, load_output=False
                )
            )
            holders = {workflow.executor_id for workflow in unfinished}
            await self._recover(holders - await self._standing() - {self._executor})

    async def _recover(self, dead: set[str]) -> int:
        # The engine's own recovery is a compare-and-set on the dead executor's name: two nodes
        # that take over the same one resume each workflow once.
        engine = self._engine()
        if not dead:
            return 0
        resumed = await asyncio.to_thread(engine.DBOS._recover_pending_workflows, sorted(dead))
        return len(resumed)

    async def _launch(self) -> Any:
        """Runs on the engine's loop, which it thereby takes for its workflows."""
        engine = importlib.import_module("dbos")
        _quiet()
        if self._file:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            _write_ahead(self._file)
        self._started = {
            name: engine.DBOS.workflow(name=name, max_recovery_attempts=None)(self._body(work))
            for name, work in self._works.items()
        }
        engine.DBOS(config=self._config())
        engine.DBOS.launch()
        return engine

    def _config(self) -> dict[str, object]:
        return {
            "name": "ratchet",
            "system_database_url": self._url,
            "dbos_system_schema": self._schema,
            "sys_db_pool_size": 4,
            "max_executor_threads": 16,
            "executor_id": self._executor,
            "application_version": _VERSION,
            "log_level": "WARNING",
            "notification_listener_polling_interval_sec": _POLL_SECONDS,
        }

    def _body(self, work: Work) -> Callable[..., Awaitable[object]]:
        async def body(*args: object) -> object:
            return await self._here(work, *args)

        return body

    async def _there(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Runs on the engine's loop, in the caller's context."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, self._loop))

    async def _here(self, work: Work, *args: object) -> object:
        """Runs on the loop that launched, in the engine's context."""

        async def call() -> object:
            return await work(*args)

        hop: Future[object] = asyncio.run_coroutine_threadsafe(call(), self._home)
        return await asyncio.wrap_future(hop)

    def _engine(self) -> Any:
        if not self.launched:
            raise StorageError("the durable engine is not up", said=_NOT_UP)
        return self._dbos

    async def _stop(self, engine: Any) -> None:
        await self._there(_cancel_all())
        await asyncio.to_thread(engine.DBOS.destroy, destroy_registry=True)
        self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join)
        self._loop.close()
        _ENGINE.release()


_NOT_UP = "My background work is still starting. Please try again in a moment."


async def _cancel_all() -> None:
    """A workflow that is cancelled by its task, not by a person, stays pending in the log."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def _engine_url(url: str) -> str:
    return make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def _write_ahead(file: Path) -> None:
    """WAL is a property of the file: set once, before the engine opens it."""
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()


def _quiet() -> None:
    """Its records go to our log; with a handler present it adds none of its own to the console."""
    log = logging.getLogger("dbos")
    if not log.handlers:
        log.addHandler(logging.NullHandler())
    log.propagate = True
