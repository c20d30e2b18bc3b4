"""Without threads between the loop and SQLite: one simulated team never does two things at once."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from storage.sqlite import Connection


def install() -> None:
    """For this process, and for good. Each statement otherwise crosses to a thread and back: most
    of a simulation's time on a busy machine. What the product does stays the same."""
    cast(Any, Connection)._begun = _begun


def _begun(self: Connection, work: Callable[[], Any]) -> "asyncio.Future[Any]":
    future = asyncio.get_running_loop().create_future()
    try:
        future.set_result(work())
    except Exception as error:
        future.set_exception(error)
    return future
