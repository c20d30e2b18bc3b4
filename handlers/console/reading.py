"""Lines from a file descriptor, without a thread that could outlive the program."""

import asyncio
import os
from collections.abc import AsyncIterator

_CHUNK = 65_536


async def lines(descriptor: int) -> AsyncIterator[str]:
    """Each line as it is completed, until the end of the input; what is no UTF-8 becomes "�"."""
    rest = b""
    async for chunk in _chunks(descriptor):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.decode("utf-8", "replace")
    if rest:
        yield rest.decode("utf-8", "replace")


async def _chunks(descriptor: int) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    while True:
        readable = asyncio.Event()
        try:
            loop.add_reader(descriptor, readable.set)
        except OSError:
            # A plain file can't be waited for, and never keeps anyone waiting.
            readable.set()
        try:
            await readable.wait()
        finally:
            loop.remove_reader(descriptor)
        chunk = os.read(descriptor, _CHUNK)
        if not chunk:
            return
        yield chunk
