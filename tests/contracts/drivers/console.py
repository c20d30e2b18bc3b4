"""The terminal: a pipe as the keyboard, a buffer as the screen."""

import asyncio
import io
import os
import re

from bot.model.codec import reply_to_json
from bot.model.message import Reply
from bot.ports.channels import Channel, Event
from handlers.console.channel import ConsoleChannel
from tests.contracts.drivers.driver import Driver, Office

_BUTTON = re.compile(r"^\[(\d)\] (\w+)", re.MULTILINE)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class ConsoleDriver(Driver):
    persons = ("owner", "owner")
    repeats = False

    def __init__(self, office: Office) -> None:
        self._read, self._keyboard = os.pipe()
        self._paper = io.StringIO()
        self._before = 0
        super().__init__(office)

    def make(self) -> Channel:
        return ConsoleChannel(
            inbox=self.office.inbox,
            events=self.office.events,
            ids=self.office.ids,
            workspace="local",
            stdin=self._read,
            output=self._paper,
        )

    async def close(self) -> None:
        await super().close()
        os.close(self._keyboard)
        os.close(self._read)

    async def say(self, text: str, person: str = "", times: int = 1) -> list[bool]:
        return [await self._type(text) for _ in range(times)]

    async def _type(self, line: str) -> bool:
        inbox = self.office.inbox
        taken, refused = len(inbox.messages), len(inbox.refusals)
        os.write(self._keyboard, f"{line}\n".encode())
        async with asyncio.timeout(10):
            while (len(inbox.messages), len(inbox.refusals)) == (taken, refused):
                await asyncio.sleep(0)
        return len(inbox.messages) > taken

    async def show(self, reply: Reply) -> None:
        self._before = len(self._paper.getvalue())
        await super().show(reply)
        await self._printed()

    async def grow(self, begun: str, reply: Reply) -> None:
        self._before = len(self._paper.getvalue())
        await super().grow(begun, reply)
        await self._printed()

    async def change(self, reply: Reply) -> None:
        self._before = len(self._paper.getvalue())
        event = {"key": "card", "reply": reply_to_json(reply), "workspace": "local"}
        self.office.events.publish(Event("", "card", event))
        await self._printed()

    async def _printed(self) -> None:
        """A blank line ends each thing shown."""
        async with asyncio.timeout(10):
            while not self._paper.getvalue()[self._before :].endswith("\n\n"):
                await asyncio.sleep(0)

    async def press(self, label: str, person: str = "", words: str = "") -> None:
        number = next(n for n, name in _BUTTON.findall(self._paper.getvalue()) if name == label)
        if words:
            os.write(self._keyboard, f"{number}\n".encode())
        await self._type(words or number)

    async def shown(self) -> str:
        return self._paper.getvalue().replace("│", " ")

    async def labels(self) -> list[str]:
        """Paper can't be taken back: those of what was shown last."""
        return [name for _, name in _BUTTON.findall(self._paper.getvalue()[self._before :])]

    async def alarms(self) -> list[str]:
        return _CONTROL.findall(self._paper.getvalue())
