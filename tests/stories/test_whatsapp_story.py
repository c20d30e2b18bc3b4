"""Approvals on WhatsApp: the card comes there, is decided there, and nothing else is said there."""

import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bot.clock import SystemClock
from tests.fakes.whatsapp_server import (
    APP_SECRET,
    PHONE_ID,
    TOKEN,
    VERIFY,
    Json,
    WhatsAppServer,
    press,
    signed,
    text,
    webhook,
)
from tests.stories.nodes import Node

APPROVER = "15551234"
QUESTION = "In which unit do we state the length of a cable?"
LESSON = "We state the length of a cable in metres"


@pytest.fixture
async def graph() -> AsyncIterator[WhatsAppServer]:
    server = WhatsAppServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def ratchet(graph: WhatsAppServer, tmp_path: Path) -> AsyncIterator[Node]:
    settings = {
        "WHATSAPP_TOKEN": TOKEN,
        "WHATSAPP_PHONE_ID": PHONE_ID,
        "WHATSAPP_APP_SECRET": APP_SECRET,
        "WHATSAPP_VERIFY_TOKEN": VERIFY,
        "WHATSAPP_GRAPH_URL": graph.url,
        "RATCHET_APPROVERS": f"whatsapp:{APPROVER}",
        "RATCHET_ADMIN_CHANNEL": f"whatsapp:{APPROVER}",
    }
    node = Node(tmp_path / "home", settings)
    await node.start()
    yield node
    await node.stop()


class Phone:
    """The approver's phone."""

    def __init__(self, graph: WhatsAppServer, ratchet: Node) -> None:
        self._graph, self._ratchet = graph, ratchet
        self._number = itertools.count(1)

    async def says(self, words: str) -> Json:
        before = len(self._graph.shown)
        await self._deliver(text(words, f"wamid.{next(self._number)}"))
        return await self.sees("", before)

    async def presses(self, card: Json, label: str) -> None:
        keys = [key["reply"] for key in card["interactive"]["action"]["buttons"]]
        command = next(key["id"] for key in keys if key["title"] == label)
        await self._deliver(press(command, f"wamid.{next(self._number)}"))

    async def sees(self, words: str, since: int = 0) -> Json:
        """The first message from number `since` on that shows the words."""
        return await self._graph.until(lambda: self._found(words, since))

    def _found(self, words: str, since: int) -> Json | None:
        return next((m for m in self._graph.shown[since:] if words in read(m)), None)

    async def _deliver(self, message: Json) -> None:
        """As Meta does, which delivers some things twice."""
        now = SystemClock().now() // 1000
        body, headers = signed(webhook({**message, "from": APPROVER, "timestamp": str(now)}))
        async with httpx.AsyncClient() as client:
            for _ in range(2):
                answer = await client.post(
                    f"{self._ratchet.url}/whatsapp/webhook", content=body, headers=headers
                )
                assert answer.status_code == 200


def read(message: Json) -> str:
    if message["type"] == "text":
        return str(message["text"]["body"])
    return str(message["interactive"]["body"]["text"])


async def answer(ratchet: Node, question: str) -> str:
    return str((await ratchet.until_closed(await ratchet.ask(question)))["answer"])


async def test_a_card_is_decided_on_a_phone(graph: WhatsAppServer, ratchet: Node) -> None:
    phone = Phone(graph, ratchet)
    wrong = await ratchet.until_closed(await ratchet.ask(QUESTION))
    assert LESSON not in str(wrong["answer"])
    await answer(ratchet, f"/better {wrong['run_id']} {LESSON}")
    card = await phone.sees("P1")
    assert LESSON in read(card)

    await phone.presses(card, "Approve")
    await phone.sees("P1 is approved")
    await phone.presses(card, "Decline")
    await phone.sees("P1 is decided already")
    assert LESSON in await answer(ratchet, QUESTION)

    assert "/proposals" in read(await phone.says("What do you think about cables?"))
    await phone.says("/rollback P1")
    await phone.sees("P1 is rolled back")
    assert LESSON not in await answer(ratchet, QUESTION)
    assert len([m for m in graph.shown if "P1 is approved" in read(m)]) == 1
