"""An inbox that keeps what channels hand to it."""

import asyncio
from collections.abc import Callable

from bot.errors import NotFound
from bot.model.message import Message
from bot.model.run import Run
from bot.ports.channels import Accepted


class RecordingInbox:
    """Dedupes by (workspace, channel, event id). `refusals` are raised, one per call, first."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.deliveries = 0
        self.refusals: list[Exception] = []
        self.cancelled: list[str] = []
        self._runs: dict[tuple[str, str, str], str] = {}
        self._changed = asyncio.Condition()

    async def accept(self, message: Message) -> Accepted:
        self.deliveries += 1
        if self.refusals:
            raise self.refusals.pop(0)
        key = (message.workspace, message.channel, message.event_id)
        if key in self._runs:
            return Accepted(self._runs[key], duplicate=True)
        self._runs[key] = f"run-{len(self._runs) + 1}"
        self.messages.append(message)
        async with self._changed:
            self._changed.notify_all()
        return Accepted(self._runs[key])

    async def wait(self, workspace: str, run_id: str, timeout: float) -> Run:
        raise NotFound(f"no run {run_id}: this inbox runs nothing")

    async def cancel(self, workspace: str, run_id: str) -> bool:
        self.cancelled.append(run_id)
        return True

    async def until(self, truth: Callable[[], bool]) -> None:
        """Waits until a message makes it true."""
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(truth)

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.messages]
