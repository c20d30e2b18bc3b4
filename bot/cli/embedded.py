"""Talks to a Ratchet that is started for one command, inside this process."""

import asyncio
import importlib
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any

from bot.app import App
from bot.cli.shape import run_fields, step_fields
from bot.cli.up import to_log
from bot.clock import SystemClock
from bot.config import Settings
from bot.errors import NotFound
from bot.lock import HomeLock

_WORKSPACE = "local"
_CHANNEL = "api"
_WAIT = 20.0
"""Seconds that another short command gets to finish."""


class Embedded:
    """The same words as `Remote`. Holds the data folder as long as it is entered."""

    def __init__(self, settings: Settings):
        self._settings = settings
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._lock = HomeLock(settings.home, SystemClock(), wait=_WAIT)

    def __enter__(self) -> "Embedded":
        self._lock.__enter__()
        try:
            to_log(self._settings, to_stderr=False)
            self._app = self._runner.run(self._open())
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
            self._runner.run(self._stack.aclose())
            self._runner.close()
        finally:
            self._lock.__exit__(kind, error, trace)

    def say(self, text: str, agent: str | None, conversation: str) -> dict[str, Any]:
        return self._runner.run(self._say(text, agent, f"{_CHANNEL}:{conversation}"))

    def run(self, ref: str) -> dict[str, Any]:
        return self._runner.run(self._run(ref))

    def runs(self, limit: int) -> list[dict[str, Any]]:
        recent = self._runner.run(self._app.services.runs.recent(_WORKSPACE, limit=limit))
        return [run_fields(run) for run in recent]

    async def _open(self) -> App:
        wiring = importlib.import_module("bot.wiring")
        app: App = await self._stack.enter_async_context(
            wiring.open_app(self._settings, serve=False)
        )
        return app

    async def _say(self, text: str, agent: str | None, conversation: str) -> dict[str, Any]:
        run = await self._app.ask(text, agent=agent, conversation=conversation, channel=_CHANNEL)
        return run_fields(run)

    async def _run(self, ref: str) -> dict[str, Any]:
        run = await self._app.services.runs.find(_WORKSPACE, ref)
        if run is None:
            raise NotFound(said=f"There is no run {ref!r}. `ratchet runs` lists the last ones.")
        steps = await self._app.services.runs.steps(_WORKSPACE, run.id)
        return {**run_fields(run), "steps": [step_fields(step) for step in steps]}
