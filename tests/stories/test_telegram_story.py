"""The whole loop on Telegram: a real process, a Bot API server, people with phones."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.clock import SystemClock
from tests.fakes.telegram_server import TelegramServer
from tests.stories.nodes import Node
from tests.stories.telegram_people import Phone, labels, settings

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
    owner = {"RATCHET_OWNERS": f"telegram:{OWNER}"}
    node = Node(tmp_path / "home", settings(telegram) | owner)
    await node.start()
    yield node
    await node.stop()


async def test_ask_better_approve_and_roll_back(telegram: TelegramServer, ratchet: Node) -> None:
    owner, stranger = Phone(telegram, OWNER), Phone(telegram, STRANGER)

    assert "metres" not in await owner.asks(QUESTION)
    card = await owner.says(f"/better {LESSON}", "Approve")
    assert LESSON in card["text"]

    refused = await stranger.says("/approve P1")
    assert "approver" in refused["text"].lower()
    await owner.presses(card, "Approve", times=2)  # decides once
    await owner.reads("Approved by Person 7", card)
    assert not labels(card)

    assert "in metres" in await owner.asks(QUESTION)
    await ratchet.kill()
    asked = await telegram.say(QUESTION, chat=STRANGER, user=STRANGER)
    await ratchet.start()
    told = await stranger.sees(lambda m: m["message_id"] > asked["message_id"])
    assert "in metres" in told["text"]

    await owner.says("/rollback P1")
    await owner.reads("Rolled back by Person 7", card)
    assert "in metres" not in await owner.asks(QUESTION)

    other = await owner.says("/better Always thank the person first", "Edit")
    await owner.tells(other, "Edit", "Always name the source of a number")
    await owner.reads("Always name the source of a number", other)
    assert "thank the person" not in other["text"] and labels(other)
    await owner.tells(other, "Decline", "we never do")
    await owner.reads("Declined by Person 7", other)
    assert "we never do" in other["text"] and not labels(other)
    await owner.says("/better always name the source of a NUMBER.")
    await owner.reads("It is not proposed again")
