"""The whole loop on Telegram: a real process, a Bot API server, people with phones."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.clock import SystemClock
from tests.fakes.model_answers import Answer, Body, Turn, Wait
from tests.fakes.model_server import ModelServer
from tests.fakes.telegram_chats import Json
from tests.fakes.telegram_server import TelegramServer
from tests.stories.nodes import Node
from tests.stories.telegram_people import Phone, labels, settings

OWNER, STRANGER, APPROVER = 7, 8, 9
TEAM, TOPIC = -1_000_000_000_042, 3
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


async def test_what_grows_in_a_topic_becomes_the_one_answer_after_a_kill(
    telegram: TelegramServer, tmp_path: Path
) -> None:
    known = asyncio.Event()

    def reply(body: Body) -> Turn:
        if body["messages"][-1]["role"] != "tool":
            return Answer(tool_calls=(("calculator", '{"expression": "2+2"}'),))
        return "It is **4**." if known.is_set() else Wait(until=known)

    async with ModelServer(reply=reply) as model:
        connected = {"OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": "none"}
        node = Node(tmp_path / "home", settings(telegram) | connected)
        await node.start()
        inside: Json = {"message_thread_id": TOPIC, "is_topic_message": True}
        await telegram.say("@ratchet_bot what is 2+2?", chat=TEAM, user=STRANGER, **inside)
        await telegram.until(lambda: bool(telegram.shown(TEAM)))
        (growing,) = telegram.shown(TEAM)
        assert growing["text"] == "Using calculator…"
        assert growing["message_thread_id"] == TOPIC
        await node.kill()

        known.set()
        await node.start()
        await telegram.until(lambda: growing["text"].startswith("It is 4."))
        assert len(telegram.shown(TEAM)) == 1, "also where the kill hit the very first showing"
        await node.stop()


async def test_an_approver_who_blocked_the_bot_is_told_of_once_and_welcome_back(
    telegram: TelegramServer, tmp_path: Path
) -> None:
    roles = {
        "RATCHET_OWNERS": f"telegram:{OWNER}",
        "RATCHET_APPROVERS": f"telegram:{APPROVER}",
        "RATCHET_ADMIN_CHANNEL": f"telegram:{OWNER}",
    }
    node = Node(tmp_path / "home", settings(telegram) | roles)
    await node.start()
    owner, approver = Phone(telegram, OWNER), Phone(telegram, APPROVER)
    await approver.says("/help")
    await owner.asks(QUESTION)
    telegram.unreachable = {APPROVER}
    await owner.says("/better Always say please", "Approve")
    note = await owner.reads("has blocked the bot")
    assert "/proposals P1" in note["text"] and f"chat {APPROVER}" in note["text"]
    await owner.says("/better Always name a source", "Approve")
    await owner.says("/runs")
    notes = [m for m in telegram.shown(OWNER) if "blocked" in m["text"]]
    assert len(notes) == 1, "once for the person, not for every card"

    telegram.unreachable = set()
    await approver.says("/help")
    await owner.says("/better Always be short", "Approve")
    card = await approver.sees(lambda m: "Approve" in labels(m))
    await approver.presses(card, "Details")
    await approver.sees(lambda m: m["message_id"] > card["message_id"] and "be short" in m["text"])
    await node.stop()
