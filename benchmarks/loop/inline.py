"""Without threads between the loop and SQLite: one simulated team never does two things at once."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, cast

from storage import engine
from storage.sqlite import Connection


def install() -> None:
    """For this process, and for good. Each statement otherwise crosses to a thread and back: most
    of a simulation's time on a busy machine. What the product does stays the same."""
    cast(Any, Connection)._begun = _begun
    cast(Any, engine).ThreadPoolExecutor = _Here


class _Here(Executor):
    """Does what it is given at once."""

    def __init__(self, *_: object, **__: object) -> None:
        return

    def submit(self, fn: Callable[..., Any], /, *args: Any, **named: Any) -> "Future[Any]":
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **named))
        except Exception as error:
            done.set_exception(error)
        return done


def _begun(self: Connection, work: Callable[[], Any]) -> "asyncio.Future[Any]":
    future = asyncio.get_running_loop().create_future()
    try:
        future.set_result(work())
    except Exception as error:
        future.set_exception(error)
    return future
