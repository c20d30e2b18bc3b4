"""What is happening right now, for whoever watches; a watcher that is slow or gone harms none."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from bot.ports.channels import Event

CARDS = "cards"
"""What to watch for cards alone, which belong to no run."""

_BOUND = 10_000


class Events:
    """In-process publish and subscribe by run id (or "" for every run)."""

    def __init__(self) -> None:
        self._watchers: dict[str, set[asyncio.Queue[Event]]] = defaultdict(set)

    def publish(self, event: Event) -> None:
        for key in {event.run_id, "", CARDS if event.kind == "card" else ""}:
            for queue in tuple(self._watchers.get(key, ())):
                if queue.qsize() < _BOUND or event.kind == "done":
                    queue.put_nowait(event)

    def watched(self, run_id: str) -> bool:
        """Whether anyone watches this run (or every run)."""
        return bool(self._watchers.get(run_id) or self._watchers.get(""))

    @contextmanager
    def watch(self, run_id: str = "") -> Iterator[asyncio.Queue[Event]]:
        """A queue of the events from now on; watch before you start what you watch."""
        queue: asyncio.Queue[Event] = asyncio.Queue()
        self._watchers[run_id].add(queue)
        try:
            yield queue
        finally:
            self._watchers[run_id].discard(queue)
            if not self._watchers[run_id]:
                del self._watchers[run_id]
