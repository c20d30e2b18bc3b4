"""WhatsApp, by webhook."""

import itertools
import re

import structlog

from bot.model.message import Reply
from bot.ports.channels import Channel
from handlers.whatsapp.channel import WhatsAppChannel
from storage.contacts import ContactStore
from storage.people import PeopleStore
from storage.receipts import ReceiptStore
from tests.contracts.drivers.driver import Driver, Office, joined
from tests.contracts.drivers.http import caller
from tests.fakes.whatsapp_server import (
    APP_SECRET,
    PHONE_ID,
    TOKEN,
    VERIFY,
    Json,
    WhatsAppServer,
    press,
    said,
    signed,
    text,
    webhook,
)

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class WhatsAppDriver(Driver):
    persons = ("US.77", "US.78")
    paths = ("/whatsapp/webhook", "/whatsapp/webhook")
    buttons = ("Approve", "Decline")
    asks = edits = False

    def __init__(self, office: Office) -> None:
        self.server = WhatsAppServer()
        self._number = itertools.count(1)
        super().__init__(office)

    def make(self) -> Channel:
        return WhatsAppChannel(
            token=TOKEN,
            graph_url=self.server.url,
            phone_id=PHONE_ID,
            app_secret=APP_SECRET,
            verify_token=VERIFY,
            inbox=self.office.inbox,
            people=PeopleStore(self.office.db, self.office.clock, self.office.ids),
            contacts=ContactStore(self.office.db),
            receipts=ReceiptStore(self.office.db),
            runs=self.office.runs,
            bounced=_bounced,
            clock=self.office.clock,
            log=structlog.get_logger(),
            patience=6.0,
        )

    async def open(self) -> None:
        await self.server.start()
        await self.channel.stop()
        self.channel = self.make()
        await super().open()

    async def close(self) -> None:
        await super().close()
        await self.server.stop()

    async def say(self, text_: str, person: str = "", times: int = 1) -> list[bool]:
        heard = self._from(text(text_, f"wamid.{next(self._number)}"), person)
        return [await self._deliver(heard) for _ in range(times)]

    async def press(self, label: str, person: str = "", words: str = "") -> None:
        command = next(key["id"] for key in self._keys() if key["title"] == label)
        await self._deliver(self._from(press(command, f"wamid.{next(self._number)}"), person))

    async def change(self, reply: Reply) -> None:
        await super().change(reply)

    async def shown(self) -> str:
        return joined(*(_text(body) for body in self.server.shown))

    async def labels(self) -> list[str]:
        return [key["title"] for key in self._keys()]

    async def alarms(self) -> list[str]:
        return [found for body in self.server.shown for found in _CONTROL.findall(_text(body))]

    def _from(self, message: Json, person: str) -> Json:
        """As someone who shows no number; now, or what they say was said too long ago."""
        now = str(self.office.clock.now() // 1000)
        shown = {name: value for name, value in message.items() if name != "from"}
        return {**shown, "from_user_id": person or self.persons[0], "timestamp": now}

    async def _deliver(self, message: Json) -> bool:
        body, headers = signed(webhook(message, contacts=[]))
        async with caller(self.channel) as http:
            answer = await http.post("/whatsapp/webhook", content=body, headers=headers)
        return answer.status_code == 200

    def _keys(self) -> list[dict[str, str]]:
        asked = self.server.shown[-1].get("interactive")
        return [b["reply"] for b in asked["action"]["buttons"]] if asked else []


def _text(body: Json) -> str:
    return said(body)


async def _bounced(workspace: str, delivery: str, cause: str, again: bool) -> None:
    raise AssertionError(f"{delivery} bounced: {cause}")
