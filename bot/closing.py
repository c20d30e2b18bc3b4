"""Closes several things one after the other, each whatever became of those before it."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack


async def close_all(*closes: Callable[[], Awaitable[None]]) -> None:
    """In this order. Raises what one of them raised once all were asked, the last error first."""
    async with AsyncExitStack() as last_first:
        for close in reversed(closes):
            last_first.push_async_callback(close)
