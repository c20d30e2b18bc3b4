"""A running Ratchet: what starts in which order, and stops in the other."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from bot.dispatch.inbox import Dispatcher
from bot.errors import StorageError
from bot.lease import Lease
from bot.model.message import Message, Sender
from bot.model.run import Run
from bot.model.workspace import HOME
from bot.ports.channels import Channel
from bot.ports.jobs import JobRuns
from bot.recovery import Recovery
from bot.sender import Sender as OutboxSender
from bot.services import Services

log = structlog.get_logger()

_ANSWER_WITHIN = 600.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 60.0


@dataclass(slots=True, eq=False)
class App:
    """`channels` are started in order and stopped in reverse. `later` is what a person doesn't
    have to wait for: it starts once messages are taken, and its failure stops nothing else. What
    storage refused is tried again until it starts. `job_runs` opens and closes the runs of jobs."""

    services: Services
    inbox: Dispatcher
    channels: Mapping[str, Channel]
    lease: Lease
    recovery: Recovery
    sender: OutboxSender
    start_store: Callable[[], Awaitable[None]]
    stop_store: Callable[[], Awaitable[None]]
    later: Sequence[tuple[str, Callable[[], Awaitable[object]]]]
    at_end: Sequence[tuple[str, Callable[[], Awaitable[object]]]]
    job_runs: JobRuns
    taking: bool = False
    _late: "asyncio.Task[None] | None" = field(default=None)
    _tried: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        """Returns once messages are taken. Raises what makes that impossible."""
        await self.start_store()
        await self.lease.start(self.recovery)
        for channel in self.channels.values():
            await channel.start()
        self.taking = True
        self._late = asyncio.create_task(self._start_later(), name="later")

    async def stop(self) -> None:
        """Takes nothing more, finishes what is under way, keeps the rest for the next start."""
        self.taking = False
        if self._late is not None:
            self._late.cancel()
            await asyncio.gather(self._late, return_exceptions=True)
        for channel in reversed(tuple(self.channels.values())):
            await self._try(f"stop {channel.name}", channel.stop)
        await self.inbox.stop()
        await self.sender.stop(5.0)
        for name, work in self.at_end:
            await self._try(name, work)
        await self._try("lease", self.lease.stop)
        await self.stop_store()

    async def settled(self) -> None:
        """Once everything that may start later has been tried."""
        await self._tried.wait()

    async def ask(
        self, text: str, *, agent: str | None = None, conversation: str = "", channel: str = "api"
    ) -> Run:
        """Says something as the person at this machine; the closed run."""
        event = self.services.ids.run_id()
        message = Message(
            workspace=HOME,
            channel=channel,
            event_id=event,
            conversation=conversation or f"{channel}:{event}",
            sender=Sender("owner", "owner", trusted_local=True),
            text=text,
            agent=agent,
            never_expires=True,
        )
        accepted = await self.inbox.accept(message)
        return await self.inbox.wait(HOME, accepted.run_id, _ANSWER_WITHIN)

    async def _start_later(self) -> None:
        left, pause = list(self.later), _FIRST_PAUSE
        while left:
            left = [(name, work) for name, work in left if await self._try(name, work)]
            self._tried.set()
            if left:
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
        self._tried.set()

    async def _try(self, name: str, work: Callable[[], Awaitable[object]]) -> bool:
        """Whether it failed and is worth another try."""
        try:
            await work()
        except Exception as error:
            log.exception("part_failed", part=name)
            return isinstance(error, StorageError)
        return False
