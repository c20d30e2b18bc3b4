"""`ratchet up`: everything starts, and stops when told to."""

import asyncio
import importlib
import importlib.util
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from bot import config
from bot.app import App
from bot.cli.logfile import to_log
from bot.cli.welcome import welcome
from bot.clock import SystemClock, SystemIds
from bot.config import Settings
from bot.footprint import shrink
from bot.lock import HomeLock, api_key

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def up() -> int:
    shrink()
    settings = config.load()
    with HomeLock(settings.home, SystemClock(), wait=3.0) as lock:
        to_log(settings, to_stderr=not sys.stdin.isatty())
        return _run(_serve(settings, lock))


def chat_alone(settings: Settings) -> int:
    """A chat in the terminal with no server beside it."""
    with HomeLock(settings.home, SystemClock(), wait=3.0):
        to_log(settings, to_stderr=False)
        return _run(_chat(settings))


async def _serve(settings: Settings, lock: HomeLock) -> int:
    stop = _stop_on_signal()
    key = api_key(settings, SystemIds())
    async with _app(settings, serve=True) as app:
        url = app.channels["web"].summary
        lock.announce(url)
        shown = "" if settings.api_key else key
        claim = app.services.claim_code
        typing, by_meaning = sys.stdin.isatty(), app.services.memory.by_meaning
        channels = [*app.channels.values()]
        lines = welcome(settings, channels, url, shown, claim, typing, by_meaning)
        print("\n".join(lines), flush=True)
        if typing:
            await _talk(app, stop, at_end="The chat is over; Ratchet goes on. Ctrl-C stops it.")
        await stop.wait()
        print(
            "\nStopping: what is under way is finished first. Ctrl-C again ends at once.",
            flush=True,
        )
    return 0


async def _chat(settings: Settings) -> int:
    stop = _stop_on_signal()
    async with _app(settings, serve=False) as app:
        await _talk(app, stop, at_end="")
    return 0


@asynccontextmanager
async def _app(settings: Settings, *, serve: bool) -> AsyncIterator[App]:
    wiring = importlib.import_module("bot.wiring")
    async with wiring.open_app(settings, serve=serve) as app:
        yield app


async def _talk(app: App, stop: asyncio.Event, *, at_end: str) -> None:
    """A chat on this terminal until it is ended or `stop` is set."""
    wiring = importlib.import_module("bot.wiring")
    console = wiring.console(app, sys.stdin.fileno(), sys.stdout)
    await console.start()
    try:
        await _first(stop.wait(), console.over.wait())
    finally:
        await console.stop()
    if at_end and not stop.is_set():
        print(f"\n{at_end}", flush=True)


async def _first(*waits: Coroutine[Any, Any, object]) -> None:
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _stop_on_signal() -> asyncio.Event:
    """An event that the first Ctrl-C or SIGTERM sets; the second one ends the process."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def told() -> None:
        stop.set()
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in _SIGNALS:
        loop.add_signal_handler(number, told)
    return stop


def _run(work: Coroutine[Any, Any, int]) -> int:
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(work)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's where it is installed, asyncio's own elsewhere."""
    if importlib.util.find_spec("uvloop") is None:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop]
    factory = importlib.import_module("uvloop").new_event_loop
    return factory
