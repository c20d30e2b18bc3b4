"""Calls outside the outbox that somebody waits for: made again where Telegram wasn't ready."""

import asyncio
from collections.abc import Awaitable, Callable

from bot.errors import ChannelUnavailable, DeliveryUnclear

_TRIES = 4
_PAUSE = 0.5


async def patiently(call: Callable[[], Awaitable[object]], *, harmless: bool = False) -> None:
    """`harmless` says that it may be done twice: then an unclear outcome is tried again too.

    Raises what the last try raised, and at once whatever another try doesn't change.
    """
    for _ in range(_TRIES - 1):
        try:
            await call()
            return
        except (ChannelUnavailable, DeliveryUnclear) as error:
            if isinstance(error, DeliveryUnclear) and not harmless:
                raise
            await asyncio.sleep(error.retry_after or _PAUSE)
    await call()
