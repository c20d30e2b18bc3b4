"""`ratchet up`: everything starts, and stops when told to."""

import asyncio
import importlib
import importlib.util
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from bot import config
from bot.cli.logfile import to_log
from bot.cli.welcome import welcome
from bot.clock import SystemClock, SystemIds
from bot.config import Settings
from bot.lock import HomeLock, api_key

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def up() -> int:
    settings = config.load()
    with HomeLock(settings.home, SystemClock(), wait=3.0) as lock:
        to_log(settings, to_stderr=not sys.stdin.isatty())
        return _run(_serve(settings, lock))


async def _serve(settings: Settings, lock: HomeLock) -> int:
    stop = _stop_on_signal()
    key = api_key(settings, SystemIds())
    wiring = importlib.import_module("bot.wiring")
    async with wiring.open_app(settings, serve=True) as app:
        url = app.channels["web"].summary
        lock.announce(url)
        shown = "" if settings.api_key else key
        print("\n".join(welcome(settings, list(app.channels.values()), url, shown)), flush=True)
        await stop.wait()
        print("\nStopping: what is under way is finished first. Ctrl-C again ends at once.")
    return 0


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
