"""Server-sent events: watching runs live, until they are done or the server stops."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager

from starlette.responses import StreamingResponse

from bot.events import Events
from bot.ports.channels import Event

HEARTBEAT = ": alive\n\n"
STOPPING = "stopping"
_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


class Streams:
    """Watches that end when the server stops, so that no open page holds it up."""

    def __init__(self, events: Events):
        self._events = events
        self._queues: set[asyncio.Queue[Event]] = set()
        self._stopping = False

    @contextmanager
    def watch(self, run_id: str) -> Iterator[asyncio.Queue[Event]]:
        with self._events.watch(run_id) as queue:
            self._queues.add(queue)
            if self._stopping:
                queue.put_nowait(Event(run_id, STOPPING, {}))
            try:
                yield queue
            finally:
                self._queues.discard(queue)

    def stop(self) -> None:
        self._stopping = True
        for queue in self._queues:
            queue.put_nowait(Event("", STOPPING, {}))


async def next_event(queue: asyncio.Queue[Event], seconds: float) -> Event | None:
    """The next event, or None after `seconds` without one."""
    if not queue.empty():
        return queue.get_nowait()
    try:
        async with asyncio.timeout(seconds):
            return await queue.get()
    except TimeoutError:
        return None


def sse(data: object, event: str = "", id: str = "") -> str:
    """One event; `data` is JSON unless it is text."""
    text = data if isinstance(data, str) else json.dumps(data, separators=(",", ":"))
    head = (f"event: {event}\n" if event else "") + (f"id: {id}\n" if id else "")
    return head + "".join(f"data: {line}\n" for line in text.split("\n")) + "\n"


def sse_response(
    chunks: AsyncIterator[str], headers: Mapping[str, str] | None = None
) -> StreamingResponse:
    both = {**_HEADERS, **(headers or {})}
    return StreamingResponse(chunks, headers=both, media_type="text/event-stream")
