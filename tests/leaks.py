"""Who leaves a database or a vector index open: each keeps a thread until it is closed."""

import threading

import pytest

_THREADS = ("_connection_worker_thread", "writer_", "vectors_")
_OVER_WITHIN = 2.0
_blamed: set[threading.Thread] = set()


def open_connections() -> list[threading.Thread]:
    """Threads of connections, of writers and of indexes that don't end by themselves."""
    found = [t for t in threading.enumerate() if _of_storage(t) and t not in _blamed]
    for thread in found:
        thread.join(_OVER_WITHIN)
    return [thread for thread in found if thread.is_alive()]


def blame(item: pytest.Item, following: pytest.Item | None) -> None:
    """Fails the test that leaves one, not a later one in which it is collected as garbage."""
    if _shares_a_loop(item) and following is not None and following.path == item.path:
        return
    left = open_connections()
    _blamed.update(left)
    if left:
        names = ", ".join(thread.name for thread in left)
        pytest.fail(f"It left a database or an index open; close it at the end: {names}")


def _of_storage(thread: threading.Thread) -> bool:
    return any(name in thread.name for name in _THREADS)


def _shares_a_loop(item: pytest.Item) -> bool:
    marked = item.get_closest_marker("asyncio")
    return marked is not None and marked.kwargs.get("loop_scope", "function") != "function"
