"""Telegram, by long polling and by webhook."""

import itertools
import json
import re
from collections.abc import Mapping
from typing import Any

import structlog

from bot.model.message import Reply
from bot.ports.channels import Channel
from handlers.telegram.channel import TelegramChannel
from storage.contacts import ContactStore
from storage.drafts import DraftStore
from tests.contracts.drivers.driver import Driver, Office, joined
from tests.contracts.drivers.http import caller
from tests.fakes.telegram_chats import ME, user_of
from tests.fakes.telegram_server import TOKEN, TelegramServer

GROUP = -100_500
SECRET = "a-webhook-secret"
_LINK = re.compile(r"href=\"(?!https?:|mailto:|tg:)[^\"]*\"")


class TelegramDriver(Driver):
    persons = ("7", "8")
    pulls = True
    secret: str | None = None

    def __init__(self, office: Office) -> None:
        self.server = TelegramServer()
        self._number = itertools.count(1)
        self._private = False
        super().__init__(office)

    def make(self) -> Channel:
        return TelegramChannel(
            bot_token=TOKEN,
            api_base=self.server.url,
            webhook_secret=self.secret,
            inbox=self.office.inbox,
            clock=self.office.clock,
            commands=[("metrics", "How it is going")],
            events=self.office.events,
            drafts=DraftStore(self.office.db, self.office.journal, self.office.clock),
            contacts=ContactStore(self.office.db),
            log=structlog.get_logger(),
            pause=0.01,
        )

    async def open(self) -> None:
        await self.server.start()
        self.channel = self.make()
        await super().open()

    async def close(self) -> None:
        await super().close()
        await self.server.stop()

    async def show(self, reply: Reply) -> None:
        """What is private is asked for where others would read it."""
        self._private = reply.private
        self.server.chat(int(self.persons[0]))
        await super().show(reply)

    async def say(self, text: str, person: str = "", times: int = 1) -> list[bool]:
        user = int(person or self.persons[0])
        message = self.server.new(GROUP if self._private else user, user, {"text": text})
        number = 900_000 + next(self._number)
        return [await self.deliver({"update_id": number, "message": message}) for _ in range(times)]

    async def deliver(self, update: Mapping[str, Any]) -> bool:
        """Confirmed once the next ones are asked for."""
        await self.server.deliver(dict(update))
        await self.server.until(lambda: not self.server.pending)
        return True

    async def press(self, label: str, person: str = "", words: str = "") -> None:
        user = int(person or self.persons[0])
        message = self._last()
        keys = [key for row in message["reply_markup"]["inline_keyboard"] for key in row]
        query = {
            "id": f"q{next(self._number)}",
            "from": user_of(user),
            "chat_instance": "1",
            "message": message,
            "data": next(key["callback_data"] for key in keys if key["text"] == label),
        }
        number = 900_000 + next(self._number)
        await self.deliver({"update_id": number, "callback_query": query})
        if words:
            await self.server.until(lambda: self._last() is not message)
            to = {"text": words, "reply_to_message": self._last()}
            answer = self.server.new(message["chat"]["id"], user, to)
            await self.deliver({"update_id": number + 1, "message": answer})

    async def shown(self) -> str:
        return joined(*(m.get("text") for m in self.server.shown(int(self.persons[0]))))

    async def labels(self) -> list[str]:
        rows = self._last().get("reply_markup", {}).get("inline_keyboard", [])
        return [key["text"] for row in rows for key in row]

    async def alarms(self) -> list[str]:
        """The server refuses what is no text of Telegram's; links remain."""
        return [link for call in self.server.sent() for link in _LINK.findall(json.dumps(call))]

    async def overheard(self) -> str:
        return joined(*(m.get("text") for m in self.server.shown(GROUP)))

    def _last(self) -> dict[str, Any]:
        mine = [m for m in self.server.messages.values() if m["from"] == ME]
        return mine[-1]


class TelegramWebhookDriver(TelegramDriver):
    paths = ("/telegram/webhook",)
    pulls = False
    secret = SECRET

    async def deliver(self, update: Mapping[str, Any]) -> bool:
        headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
        async with caller(self.channel) as http:
            answer = await http.post("/telegram/webhook", json=dict(update), headers=headers)
        return answer.status_code == 200
