"""Talks to a Ratchet that is started for one command, inside this process."""

import asyncio
import importlib
import threading
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, TypeVar

from bot.app import App
from bot.cli.logfile import to_log
from bot.cli.shape import made, run_fields, step_fields, with_files
from bot.clock import SystemClock
from bot.config import Settings
from bot.errors import NotFound
from bot.files.saving import Saving
from bot.lock import HomeLock
from bot.model.run import BEGUN_BY_SOMEONE
from bot.model.workspace import HOME

_CHANNEL = "api"
_WAIT = 20.0
"""Seconds that another short command gets to finish."""

T = TypeVar("T")


class Embedded:
    """The same words as `Remote`. Holds the data folder as long as it is entered.

    Its loop runs on a thread of its own, so that it goes on while someone thinks or types.
    """

    url = ""

    def __init__(self, settings: Settings):
        self._settings = settings
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="ratchet", daemon=True)
        self._stack = AsyncExitStack()
        self._lock = HomeLock(settings.home, SystemClock(), wait=_WAIT)

    def __enter__(self) -> "Embedded":
        self._lock.__enter__()
        self._thread.start()
        try:
            to_log(self._settings, to_stderr=False)
            self._app = self._do(self._open())
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._do(self._close())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
            self._lock.__exit__(kind, error, trace)

    def say(self, text: str, agent: str | None, conversation: str) -> dict[str, Any]:
        return self._do(self._say(text, agent, f"{_CHANNEL}:{conversation}"))

    def run(self, ref: str) -> dict[str, Any]:
        return self._do(self._run(ref))

    def runs(self, limit: int) -> list[dict[str, Any]]:
        recent = self._do(self._app.services.runs.recent(HOME, kinds=BEGUN_BY_SOMEONE, limit=limit))
        return [run_fields(run) for run in recent]

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _open(self) -> App:
        wiring = importlib.import_module("bot.wiring")
        app: App = await self._stack.enter_async_context(
            wiring.open_app(self._settings, serve=False)
        )
        return app

    async def _close(self) -> None:
        await self._stack.aclose()
        await self._loop.shutdown_default_executor()

    async def _say(self, text: str, agent: str | None, conversation: str) -> dict[str, Any]:
        run = await self._app.ask(text, agent=agent, conversation=conversation, channel=_CHANNEL)
        saving = Saving(self._app.services.files, self._settings.home / "files")
        saved = [await saving.save(HOME, file) for file in made(run)]
        return with_files(run_fields(run), saved)

    async def _run(self, ref: str) -> dict[str, Any]:
        run = await self._app.services.runs.find(HOME, ref)
        if run is None:
            raise NotFound(said=f"There is no run {ref!r}. `ratchet runs` lists the last ones.")
        steps = await self._app.services.runs.steps(HOME, run.id)
        return {**run_fields(run), "steps": [step_fields(step) for step in steps]}
