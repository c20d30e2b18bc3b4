"""People with Telegram on their phones, each in a private chat with the bot."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.fakes.telegram_chats import Json, user_of
from tests.fakes.telegram_server import TOKEN, TelegramServer


class Phone:
    """One person's private chat with the bot."""

    def __init__(self, server: TelegramServer, user: int) -> None:
        self._server, self._user = server, user

    async def says(
        self, text: str, label: str = "", to: Json | None = None, *, seeing: str = ""
    ) -> Json:
        """The first message after it that shows the words `seeing`, with a button of that label
        if one is given."""
        said = await self._server.say(text, chat=self._user, user=self._user, to=to)
        return await self.sees(
            lambda m: (
                m["message_id"] > said["message_id"]
                and seeing in shown(m)
                and (not label or label in labels(m))
            )
        )

    async def asks(self, question: str) -> str:
        return str((await self.says(question, "👍"))["text"])

    async def presses(self, message: Mapping[str, Any], label: str, times: int = 1) -> None:
        """Each press comes from the screen as it was at the first."""
        screen = dict(message)
        rows = screen["reply_markup"]["inline_keyboard"]
        data = next(key["callback_data"] for row in rows for key in row if key["text"] == label)
        for number in range(times):
            query = {
                "id": f"q{len(self._server.calls)}-{number}",
                "from": user_of(self._user),
                "chat_instance": "1",
                "message": screen,
                "data": data,
            }
            await self._server.deliver({"callback_query": query})

    async def tells(self, message: Json, label: str, words: str) -> None:
        """A button that asks, and the answer to its question."""
        before = max(m["message_id"] for m in self._seen())
        await self.presses(message, label)
        asked = await self.sees(
            lambda m: m["message_id"] > before and "Reply to this message" in m["text"]
        )
        await self._server.say(words, chat=self._user, user=self._user, to=asked)

    async def reads(self, words: str, on: Mapping[str, Any] | None = None) -> Json:
        """The first message that shows the words; `on` is the one in which they are to appear."""
        number = on and on["message_id"]
        return await self.sees(lambda m: words in shown(m) and number in (None, m["message_id"]))

    async def sees(self, truth: Callable[[Json], bool]) -> Json:
        try:
            await self._server.until(lambda: any(map(truth, self._seen())))
        except TimeoutError:
            pytest.fail("\n".join(["It never came. What came:", *map(str, self._seen())]))
        return next(m for m in self._seen() if truth(m))

    def _seen(self) -> list[Json]:
        return self._server.shown(self._user)


def settings(server: TelegramServer) -> dict[str, str]:
    """What makes a Ratchet listen to it."""
    return {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_API_BASE": server.url}


def shown(message: Mapping[str, Any]) -> str:
    """What can be read: of a picture what stands below it."""
    return str(message.get("text") or message.get("caption", ""))


def labels(message: Mapping[str, Any]) -> list[str]:
    """The buttons that can be pressed."""
    rows: list[list[dict[str, Any]]] = message.get("reply_markup", {}).get("inline_keyboard", [])
    return [key["text"] for row in rows for key in row]
