"""A WhatsApp number with real stores behind it, a strict platform before it, and a held clock."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from starlette.applications import Starlette
from starlette.routing import Route

from bot.clock import SystemIds
from bot.model.codec import reply_to_json
from bot.model.contact import Contact
from bot.model.delivery import Delivery
from bot.model.message import Reply
from handlers.whatsapp.channel import WhatsAppChannel
from handlers.whatsapp.templates import Templates
from storage.contacts import ContactStore
from storage.engine import Database
from storage.people import PeopleStore
from storage.receipts import ReceiptStore
from storage.runs import RunStore
from tests import databases
from tests.conftest import HeldClock
from tests.fakes.inbox import RecordingInbox
from tests.fakes.whatsapp_server import (
    APP_SECRET,
    PHONE_ID,
    TOKEN,
    VERIFY,
    Json,
    Template,
    WhatsAppServer,
    signed,
    statuses,
    text,
    webhook,
)

PATH = "/whatsapp/webhook"


class TickingClock(HeldClock):
    """Held for what is recorded; its monotonic time goes on by a second at each look."""

    def __init__(self) -> None:
        super().__init__()
        self._looks = 0.0

    def monotonic(self) -> float:
        self._looks += 1
        return super().monotonic() + self._looks


@dataclass
class House:
    db: Database
    clock: TickingClock
    server: WhatsAppServer
    inbox: RecordingInbox
    contacts: ContactStore
    receipts: ReceiptStore
    people: PeopleStore
    bounces: list[tuple[str, str, bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.number = 0
        self.channel = self.make()

    def make(self, templates: Templates | None = None, named: tuple[str, ...] = ()) -> Any:
        async def bounced(workspace: str, delivery: str, cause: str, again: bool) -> None:
            assert workspace == "local"
            self.bounces.append((delivery, cause, again))

        return WhatsAppChannel(
            token=TOKEN,
            graph_url=self.server.url,
            phone_id=PHONE_ID,
            app_secret=APP_SECRET,
            verify_token=VERIFY,
            inbox=self.inbox,
            people=self.people,
            contacts=self.contacts,
            receipts=self.receipts,
            runs=RunStore(self.db),
            bounced=bounced,
            clock=self.clock,
            log=structlog.get_logger(),
            named=named,
            templates=templates,
            patience=6.0,
        )

    async def use(self, templates: Templates | None = None, named: tuple[str, ...] = ()) -> None:
        """Another channel, with other settings."""
        await self.channel.stop()
        self.channel = self.make(templates, named)

    @property
    def web(self) -> httpx.AsyncClient:
        routes = [Route(r.path, r.endpoint, methods=r.methods) for r in self.channel.routes()]
        transport = httpx.ASGITransport(Starlette(routes=routes))
        return httpx.AsyncClient(transport=transport, base_url="http://bot")

    async def post(self, payload: object, secret: str = APP_SECRET) -> int:
        body, headers = signed(payload, secret)
        async with self.web as web:
            return (await web.post(PATH, content=body, headers=headers)).status_code

    async def hears(
        self, words: str, ago: float = 0.0, number: str | None = "15551234", **more: Any
    ) -> None:
        """Ann says it now, or so many seconds ago."""
        self.number += 1
        at = str(round(self.clock.now() / 1000 - ago))
        message = text(words, f"wamid.{self.number}", **{"timestamp": at, "from": number, **more})
        heard = {name: value for name, value in message.items() if value is not None}
        contact = {"profile": {"name": "Ann"}} | {
            ours: heard[theirs]
            for ours, theirs in (("wa_id", "from"), ("user_id", "from_user_id"))
            if theirs in heard
        }
        assert await self.post(webhook(heard, contacts=[contact])) == 200

    async def told(self, *found: Json) -> None:
        assert await self.post(statuses(*found)) == 200

    async def contact(self, one: str = "US.77") -> Contact:
        found = await self.contacts.get("local", "whatsapp", one)
        assert found is not None
        return found


def delivery(reply: Reply, id: str = "post:1", run_id: str = "", **more: Any) -> Delivery:
    """Something nobody asked for, to Ann's number, unless it answers a run."""
    address = more.pop("address", {"to": "15551234"})
    card = reply.card.ref if reply.card else ""
    return Delivery(
        id, "local", run_id, "whatsapp", address, reply_to_json(reply), card=card, **more
    )


def answer(reply: Reply, id: str = "r1", **more: Any) -> Delivery:
    return delivery(reply, id, id, **more)


@pytest.fixture
def clock() -> TickingClock:
    return TickingClock()


@pytest.fixture
async def house(tmp_path: Path, clock: TickingClock) -> AsyncIterator[House]:
    db = databases.on_sqlite(tmp_path)
    server = WhatsAppServer(now=clock.now)
    server.templates = {"digest": Template(), "approval": Template(replies=2)}
    await server.start()
    people = PeopleStore(db, clock, SystemIds())
    made = House(db, clock, server, RecordingInbox(), ContactStore(db), ReceiptStore(db), people)
    yield made
    await made.channel.stop()
    await server.stop()
    await db.close()
