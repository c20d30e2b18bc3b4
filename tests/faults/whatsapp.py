"""WhatsApp: commands only, and a platform that can't be asked what it has shown."""

import asyncio
import itertools
import json
from collections.abc import Mapping
from pathlib import Path

from bot.clock import SystemClock
from tests.fakes.whatsapp_server import (
    APP_SECRET,
    PHONE_ID,
    TOKEN,
    VERIFY,
    WhatsAppServer,
    signed,
    text,
    webhook,
)
from tests.faults.platform import Json, Platform, post, post_unheard

APPROVER, OWNER = "15551234", "15559999"


class WhatsApp(Platform):
    name = "whatsapp"
    can_look = False

    def __init__(self) -> None:
        super().__init__()
        self.server = WhatsAppServer()
        self.trouble = self.server.trouble
        self._number = itertools.count(1)

    async def start(self) -> None:
        await self.server.start()

    async def stop(self) -> None:
        await self.server.stop()

    async def open(self, home: Path) -> None:
        """The owner has agreed to be told."""
        await super().open(home)
        now = str(SystemClock().now() // 1000)
        yes = text("start", "wamid.yes", timestamp=now, **{"from": OWNER, "from_user_id": None})
        await self.deliver(webhook(yes))
        async with asyncio.timeout(20):
            while not self.told():
                await asyncio.sleep(0.03)

    def settings(self) -> Mapping[str, str]:
        return {
            "WHATSAPP_TOKEN": TOKEN,
            "WHATSAPP_PHONE_ID": PHONE_ID,
            "WHATSAPP_APP_SECRET": APP_SECRET,
            "WHATSAPP_VERIFY_TOKEN": VERIFY,
            "WHATSAPP_GRAPH_URL": self.server.url,
            "WHATSAPP_STATUS_SECONDS": "1.5",  # nothing here ever sends a status
            "RATCHET_APPROVERS": f"whatsapp:{APPROVER}",
            "RATCHET_ADMIN_CHANNEL": f"whatsapp:{OWNER}",
        }

    def asking(self, number: int) -> tuple[str, str]:
        return f"decline P{9000 + number}", f"P{9000 + number}"

    def event(self, words: str) -> Json:
        now = str(SystemClock().now() // 1000)
        return webhook(text(words, f"wamid.{next(self._number)}", timestamp=now))

    async def deliver(self, event: Json) -> None:
        body, headers = signed(event)
        await post(f"{self.node.url}/whatsapp/webhook", body, headers)

    async def deliver_unheard(self, event: Json) -> None:
        body, headers = signed(event)
        await post_unheard(f"{self.node.url}/whatsapp/webhook", body, headers)

    def seen(self, words: str) -> int:
        return sum(words in json.dumps(message) for message in self.server.shown)

    def told(self) -> list[str]:
        return [str(m["text"]["body"]) for m in self.server.shown if m.get("to") == OWNER]
