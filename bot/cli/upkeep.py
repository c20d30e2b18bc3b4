"""`ratchet version` and `ratchet db upgrade`."""

import asyncio
import importlib
import importlib.metadata

from bot import config
from bot.clock import SystemClock
from bot.lock import HomeLock


def version() -> int:
    print(importlib.metadata.version("ratchet-bot"))
    return 0


def upgrade() -> int:
    settings = config.load()
    wiring = importlib.import_module("bot.wiring")
    with HomeLock(settings.home, SystemClock()):
        print(asyncio.run(wiring.upgrade_database(settings)))
    return 0
