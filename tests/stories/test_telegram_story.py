"""The whole loop on Telegram: a real process, a Bot API server, people with phones."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.clock import SystemClock
from tests.fakes.telegram_server import TOKEN, TelegramServer
from tests.stories.nodes import Node

OWNER, STRANGER = 7, 8
QUESTION = "In which unit do we state the length of a cable?"
LESSON = "We state the length of a cable in metres"


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramServer]:
    server = TelegramServer(now=SystemClock().now() // 1000)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def ratchet(telegram: TelegramServer, tmp_path: Path) -> AsyncIterator[Node]:
    settings = {
        "TELEGRAM_BOT_TOKEN": TOKEN,
        "TELEGRAM_API_BASE": telegram.url,
        "RATCHET_OWNERS": f"telegram:{OWNER}",
    }
    node = Node(tmp_path / "home", settings)
    await node.start()
    yield node
    await node.stop()


class Phone:
    """One person's private chat with the bot."""

    def __init__(self, server: TelegramServer, user: int) -> None:
        self._server, self._user = server, user

    async def says(self, text: str, label: str = "") -> dict[str, Any]:
        """The first message after it, with a button of that label if one is given."""
        said = await self._server.say(text, chat=self._user, user=self._user)
        return await self.sees(lambda m: m["message_id"] > said["message_id"] and _has(m, label))

    async def asks(self, question: str) -> str:
        return str((await self.says(question, "👍"))["text"])

    async def presses(self, message: dict[str, Any], label: str) -> None:
        await self._server.press(message, label, self._user)

    async def sees(self, truth: Any) -> dict[str, Any]:
        await self._server.until(lambda: any(truth(m) for m in self._server.shown(self._user)))
        return next(m for m in self._server.shown(self._user) if truth(m))


def _has(message: dict[str, Any], label: str) -> bool:
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return not label or any(key["text"] == label for row in rows for key in row)


async def test_ask_better_approve_and_roll_back(telegram: TelegramServer, ratchet: Node) -> None:
    owner, stranger = Phone(telegram, OWNER), Phone(telegram, STRANGER)

    assert "metres" not in await owner.asks(QUESTION)
    card = await owner.says(f"/better {LESSON}", "Approve")
    assert LESSON in card["text"]

    refused = await stranger.says("/approve P1")
    assert "approver" in refused["text"].lower()
    for _ in range(2):  # a double press decides once
        await owner.presses(card, "Approve")
    decided = await owner.sees(
        lambda m: m["message_id"] == card["message_id"] and "Approved by" in m["text"]
    )
    assert "reply_markup" not in decided

    assert "in metres" in await owner.asks(QUESTION)
    await ratchet.kill()
    asked = await telegram.say(QUESTION, chat=STRANGER, user=STRANGER)
    await ratchet.start()
    told = await stranger.sees(lambda m: m["message_id"] > asked["message_id"])
    assert "in metres" in told["text"]

    await owner.says("/rollback P1")
    await owner.sees(lambda m: "rolled back" in m["text"].lower())
    assert "in metres" not in await owner.asks(QUESTION)
