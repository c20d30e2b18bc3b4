"""Answers of the page while they are being written, for connections that come late or again."""

import asyncio
from contextlib import ExitStack

from bot.ports.channels import Event
from handlers.web.streams import STOPPING, Streams, next_event

_SILENCE = 900.0


class Answer:
    """What has been said so far. `over` tells that nothing more comes from this process."""

    def __init__(self) -> None:
        self.text = ""
        self.doing = ""
        self.over = False
        self.stopped = False
        self._news = asyncio.Event()

    def take(self, event: Event) -> None:
        if event.kind == "delta":
            self.text += str(event.data.get("text", ""))
        elif event.kind == "step":
            self.doing = str(event.data.get("name", ""))
        self.stopped = event.kind == STOPPING
        self.over = self.over or event.kind in ("done", STOPPING)
        self.tell()

    def tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def news(self, seconds: float) -> bool:
        """Waits for the next change; False if there was none."""
        if self.over:
            return True
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return False
        return True


class LiveAnswers:
    """One follower per running answer of the page."""

    def __init__(self, streams: Streams):
        self._streams = streams
        self._answers: dict[str, tuple[Answer, asyncio.Task[None]]] = {}

    def follow(self, run_id: str) -> Answer:
        """To be called right after the run was accepted: what isn't watched isn't streamed."""
        if run_id in self._answers:
            return self._answers[run_id][0]
        answer, watching = Answer(), ExitStack()
        queue = watching.enter_context(self._streams.watch(run_id))
        task = asyncio.create_task(_listen(queue, answer))
        self._answers[run_id] = answer, task

        def leave(_: object) -> None:
            watching.close()
            del self._answers[run_id]

        task.add_done_callback(leave)
        return answer

    def drop(self, run_id: str) -> None:
        """The run is known to be closed."""
        if run_id in self._answers:
            self._answers[run_id][1].cancel()


async def _listen(queue: asyncio.Queue[Event], answer: Answer) -> None:
    while not answer.over:
        event = await next_event(queue, _SILENCE)
        if event is None:
            answer.over = True
            answer.tell()
        else:
            answer.take(event)
