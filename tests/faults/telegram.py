"""Telegram, by polling and by webhook."""

import itertools
import json
from collections.abc import Mapping

from bot.clock import SystemClock
from tests.fakes.telegram_chats import Json
from tests.fakes.telegram_server import TOKEN, Fault, TelegramServer
from tests.faults.platform import Platform, post, post_unheard

OWNER = 99
SECRET = "secret-of-the-test"


class TelegramByPolling(Platform):
    name = "telegram-polling"
    pulled = True

    def __init__(self) -> None:
        super().__init__()
        self.server = TelegramServer(now=SystemClock().now() // 1000)
        self.trouble = self.server.trouble
        self._people = itertools.count(1000)
        self._updates = itertools.count(900_000)

    async def start(self) -> None:
        await self.server.start()
        self.server.chat(OWNER)

    async def stop(self) -> None:
        await self.server.stop()

    def settings(self) -> Mapping[str, str]:
        return {
            "TELEGRAM_BOT_TOKEN": TOKEN,
            "TELEGRAM_API_BASE": self.server.url,
            "RATCHET_ADMIN_CHANNEL": f"telegram:{OWNER}",
        }

    def event(self, words: str) -> Json:
        """Each from somebody else."""
        person = next(self._people)
        message = self.server.new(person, person, {"text": words})
        return {"update_id": next(self._updates), "message": message}

    async def deliver(self, event: Json) -> None:
        await self.server.deliver(event)

    async def deliver_unheard(self, event: Json) -> None:
        """The next request, which would confirm it, never arrives."""
        self.server.faults.append(Fault("getUpdates", status=0))
        await self.server.deliver(event)

    async def hang_up(self) -> None:
        self.server.faults.append(Fault("getUpdates", status=0, times=2))

    def seen(self, words: str) -> int:
        chats = {chat for chat, _ in self.server.messages}
        shown = (m for chat in chats for m in self.server.shown(chat))
        return sum(words in json.dumps(message) for message in shown)

    def told(self) -> list[str]:
        return [str(message["text"]) for message in self.server.shown(OWNER)]


class TelegramByWebhook(TelegramByPolling):
    name = "telegram-webhook"
    pulled = False

    def settings(self) -> Mapping[str, str]:
        return {**super().settings(), "TELEGRAM_WEBHOOK_SECRET": SECRET}

    async def deliver(self, event: Json) -> None:
        await post(*self._request(event))

    async def deliver_unheard(self, event: Json) -> None:
        await post_unheard(*self._request(event))

    def _request(self, event: Json) -> tuple[str, bytes, Mapping[str, str]]:
        headers = {
            "X-Telegram-Bot-Api-Secret-Token": SECRET,
            "Content-Type": "application/json",
        }
        return f"{self.node.url}/telegram/webhook", json.dumps(event).encode(), headers
