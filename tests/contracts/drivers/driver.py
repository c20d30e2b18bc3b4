"""What every channel's driver can do, and the run log behind all of them."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.clock import SystemClock, SystemIds
from bot.events import Events
from bot.model.codec import reply_to_json
from bot.model.delivery import Delivery
from bot.model.message import Message, Reply
from bot.ports.channels import Channel, Event
from storage.journal import RunJournal
from storage.runs import RunStore
from tests import databases
from tests.fakes.answering_inbox import Answer, AnsweringInbox

ASKED = "/metrics"
"""What is said to get a reply that a test wrote: something that may be said everywhere."""


class Office:
    """An inbox whose answers a test writes, with a real run log."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.db = databases.on_sqlite(folder)
        self.journal, self.runs = RunJournal(self.db), RunStore(self.db)
        self.clock, self.ids, self.events = SystemClock(), SystemIds(), Events()
        self.inbox = AnsweringInbox(self.journal, self.runs, self.events, self.clock, self.ids)

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.inbox.messages]

    @property
    def last(self) -> Message:
        return self.inbox.messages[-1]


@asynccontextmanager
async def office(folder: Path) -> AsyncIterator[Office]:
    made = Office(folder)
    made.journal.start()
    try:
        yield made
    finally:
        await made.inbox.stop()
        await made.journal.close()
        await made.db.close()


class Driver(ABC):
    """`persons` are the platform's ids of two people, or of the only one there is."""

    persons: tuple[str, str]
    paths: tuple[str, ...] = ()
    """What it serves on the common web server."""
    buttons: tuple[str, ...] = ("Approve", "Edit", "Decline")
    """What can be pressed on a proposal's card."""
    asks = True
    """A button can ask for words."""
    edits = True
    """A message can be replaced in place."""
    pulls = False
    """The channel fetches: what it can't record it fetches again, and nobody is told no."""
    repeats = True
    """The same event may be delivered more than once."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.channel: Channel = self.make()
        self._ref: Mapping[str, object] = {}
        self._sent: Delivery | None = None

    @abstractmethod
    def make(self) -> Channel:
        """Another channel to the same platform."""

    async def open(self) -> None:
        await self.channel.start()

    async def close(self) -> None:
        await self.channel.stop()

    @abstractmethod
    async def say(self, text: str, person: str = "", times: int = 1) -> list[bool]:
        """Delivers it, each time as the same event; whether each one was acknowledged."""

    @abstractmethod
    async def press(self, label: str, person: str = "", words: str = "") -> None:
        """A button of what was shown last."""

    @abstractmethod
    async def shown(self) -> str:
        """All that the person who asked sees, as text."""

    @abstractmethod
    async def labels(self) -> list[str]:
        """The buttons they can press now, thumbs aside."""

    @abstractmethod
    async def alarms(self) -> list[str]:
        """What was sent that the platform would run, follow or ring for, though it is only text."""

    async def overheard(self) -> str:
        """What others see of it where there are others."""
        return ""

    async def show(self, reply: Reply) -> None:
        """The reply, as the answer to something that was asked."""
        self.office.inbox.script[ASKED] = Answer(reply=reply)
        while not (await self.say(ASKED))[-1]:
            await asyncio.sleep(0)
        await self._answered(reply)

    async def grow(self, begun: str, reply: Reply) -> None:
        """The same, and its beginning is there a while before the whole."""
        over = asyncio.Event()
        self.office.inbox.script[ASKED] = Answer(reply=reply, waits=over)
        await self.say(ASKED)
        run = await self.office.inbox.find(ASKED)
        self.channel.follow(run)
        self.office.events.publish(Event(run.id, "delta", {"text": begun}))
        await asyncio.sleep(0.3)
        over.set()
        await self._answered(reply)

    async def found(self) -> Mapping[str, object] | None:
        """What the platform says of what was sent last."""
        assert self._sent is not None
        return await self.channel.find(self._sent)

    async def _answered(self, reply: Reply) -> None:
        run = await self.office.inbox.find(ASKED)
        run = await self.office.inbox.wait("local", run.id, 10)
        if self.channel.push:
            card = reply.card.ref if reply.card else ""
            self._sent = Delivery(
                run.id, "local", run.id, self.channel.name, run.address, run.reply or {}, card=card
            )
            self._ref = await self.channel.send(self._sent)

    async def change(self, reply: Reply) -> None:
        """The message shown last becomes this one."""
        assert self._sent is not None
        edit = replace(self._sent, id="edit", reply=reply_to_json(reply), edits=self._ref)
        await self.channel.send(edit)


def joined(*parts: Any) -> str:
    return "\n".join(str(part) for part in parts if part)
