"""Approvals on WhatsApp: asked for with a yes, decided on the phone, ended with a no."""

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
    Template,
    WhatsAppServer,
    press,
    said,
    signed,
    statuses,
    text,
    webhook,
)
from tests.stories.nodes import Node

APPROVER, STRANGER = "15551234", "15556666"
QUESTION = "In which unit do we state the length of a cable?"
LESSON = "We state the length of a cable in metres"
_DAY = 86_400_000


@pytest.fixture
async def graph() -> AsyncIterator[WhatsAppServer]:
    server = WhatsAppServer(heard={}, now=SystemClock().now)
    server.templates = {"ratchet_approval": Template(replies=2)}
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
        "WHATSAPP_TEMPLATE_APPROVAL": "ratchet_approval",
        "RATCHET_APPROVERS": f"whatsapp:{APPROVER}",
        "RATCHET_ADMIN_CHANNEL": f"whatsapp:{APPROVER}",
    }
    node = Node(tmp_path / "home", settings)
    await node.start()
    yield node
    await node.stop()


class Phone:
    """The phone of one person, who by now may have written too long ago."""

    def __init__(self, graph: WhatsAppServer, ratchet: Node, number: str = APPROVER) -> None:
        self._graph, self._ratchet, self._who = graph, ratchet, number
        self._number = itertools.count(1)

    async def says(self, words: str) -> Json:
        before = len(self._graph.shown)
        await self.writes(words)
        return await self.sees("", before)

    async def writes(self, words: str, ago: int = 0) -> None:
        await self._deliver(text(words, self._id()), ago)

    async def repeats(self, *sayings: tuple[str, str]) -> None:
        """(words, message id) of one second, in the order in which they arrive."""
        now = SystemClock().now()
        for words, id in sayings:
            await self._deliver(text(words, id), at=now)

    async def presses(self, card: Json, label: str) -> None:
        keys = [key["reply"] for key in card["interactive"]["action"]["buttons"]]
        command = next(key["id"] for key in keys if key["title"] == label)
        await self._deliver(press(command, self._id()))

    async def presses_quick_reply(self, card: Json, index: int) -> None:
        buttons = [c for c in card["template"]["components"] if c["type"] == "button"]
        payload = buttons[index]["parameters"][0]["payload"]
        pressed = text("", self._id(), type="button", button={"payload": payload, "text": "x"})
        await self._deliver(pressed)

    async def sees(self, words: str, since: int = 0) -> Json:
        """The first message from number `since` on that shows the words."""
        return await self._graph.until(lambda: self._found(words, since))

    def _found(self, words: str, since: int) -> Json | None:
        mine = (m for m in self._graph.shown[since:] if m["to"] == self._who)
        return next((m for m in mine if words in said(m)), None)

    def _id(self) -> str:
        return f"wamid.{self._who}.{next(self._number)}"

    async def _deliver(self, message: Json, ago: int = 0, at: int = 0) -> None:
        """As Meta does, which delivers some things twice."""
        now = at or SystemClock().now() - ago
        assert self._graph.heard is not None
        self._graph.heard[self._who] = max(now, self._graph.heard.get(self._who, 0))
        sent = {**message, "from": self._who, "timestamp": str(now // 1000)}
        await deliver(self._ratchet, webhook(sent, contacts=[{"wa_id": self._who}]))


async def deliver(ratchet: Node, payload: Json) -> None:
    body, headers = signed(payload)
    async with httpx.AsyncClient() as client:
        for _ in range(2):
            url = f"{ratchet.url}/whatsapp/webhook"
            answer = await client.post(url, content=body, headers=headers)
            assert answer.status_code == 200


async def answer(ratchet: Node, question: str) -> str:
    return str((await ratchet.until_closed(await ratchet.ask(question)))["answer"])


async def proposed(ratchet: Node, lesson: str = LESSON) -> None:
    wrong = await ratchet.until_closed(await ratchet.ask(QUESTION))
    assert lesson not in str(wrong["answer"])
    await answer(ratchet, f"/better {wrong['run_id']} {lesson}")


async def test_a_card_is_decided_on_a_phone(graph: WhatsAppServer, ratchet: Node) -> None:
    phone = Phone(graph, ratchet)
    assert "You are in" in said(await phone.says("start"))
    await proposed(ratchet)
    card = await phone.sees("P1")
    assert LESSON in said(card)

    await phone.presses(card, "Approve")
    await phone.sees("P1 is approved")
    await phone.presses(card, "Decline")
    await phone.sees("P1 is decided already")
    assert LESSON in await answer(ratchet, QUESTION)

    assert "approve" in said(await phone.says("What do you think about cables?"))
    await phone.says("/rollback P1")
    await phone.sees("P1 is rolled back")
    assert LESSON not in await answer(ratchet, QUESTION)
    shown = [said(m) for m in graph.shown]
    assert len([m for m in shown if "P1 is approved" in m]) == 1
    assert not [m for m in shown if "Approved by" in m and "decided already" not in m]
    assert "cables?" not in str(await ratchet.until_closed(await ratchet.ask("/runs all")))


async def test_after_a_day_the_template_carries_the_decision(
    graph: WhatsAppServer, ratchet: Node
) -> None:
    phone = Phone(graph, ratchet)
    await phone.writes("start", ago=2 * _DAY)
    await proposed(ratchet)
    card = await phone.sees("P1")
    assert card["type"] == "template"
    index = graph.shown.index(card)
    await deliver(ratchet, statuses(graph.status(index, "delivered"), graph.status(index, "read")))
    await phone.writes("approve P1", ago=_DAY + 60_000)
    assert "Waits for a decision" in await answer(ratchet, "/proposals")
    await phone.presses_quick_reply(card, 0)
    await phone.sees("P1 is approved")


async def test_a_stranger_learns_how_it_works_and_nothing_else(
    graph: WhatsAppServer, ratchet: Node
) -> None:
    stranger = Phone(graph, ratchet, STRANGER)
    hello = said(await stranger.says("Hello, what are you?"))
    assert "Say `start`" in hello and "metrics" not in hello
    for words in ("approve P1", "status", "budget"):
        assert "needs the role" in said(await stranger.says(words))
    assert "role first" in said(await stranger.says("start"))
    await stranger.says("stop")
    before = len(graph.shown)
    await stranger.writes("stop")
    await stranger.writes("really?")
    await proposed(ratchet)
    assert len(graph.shown) == before


async def test_a_break_and_its_end(graph: WhatsAppServer, ratchet: Node) -> None:
    phone = Phone(graph, ratchet)
    await phone.says("start")
    assert "Paused" in said(await phone.says("pause"))
    await proposed(ratchet)
    assert "waits for approval: *P1*" in said(await phone.says("status"))
    assert not [m for m in graph.shown if "Proposal P1" in said(m)]
    assert "Resumed" in said(await phone.says("resume"))
    await proposed(ratchet, "We state the length of a cable in feet")
    await phone.sees("P2")


async def test_a_stranger_with_a_code_is_who_gave_it(graph: WhatsAppServer, ratchet: Node) -> None:
    stranger = Phone(graph, ratchet, STRANGER)
    assert "needs the role" in said(await stranger.says("link"))
    issued = await answer(ratchet, "/link")
    code = issued.split("**")[1]
    assert "You are" in said(await stranger.says(f"link {code}"))
    assert "waits for approval" in said(await stranger.says("status"))


async def test_a_yes_delivered_again_undoes_no_no_of_the_same_second(
    graph: WhatsAppServer, ratchet: Node
) -> None:
    phone = Phone(graph, ratchet)
    await phone.repeats(("start", "yes"), ("stop", "no"), ("start", "yes"))
    await proposed(ratchet)
    await answer(ratchet, "/proposals")
    assert not [m for m in graph.shown if "Proposal P1" in said(m)]
    await phone.repeats(("stop", "another no"), ("start", "another yes"))
    await phone.sees("You are in")
    await proposed(ratchet, "We state the length of a cable in feet")
    await phone.sees("Proposal P2")


async def test_a_body_that_is_too_long_is_told_so_and_disturbs_nobody(
    graph: WhatsAppServer, ratchet: Node
) -> None:
    body, headers = signed({"object": "x" * 8_000_000})
    async with httpx.AsyncClient() as client:
        for sign in (headers, {"x-hub-signature-256": "sha256=00"}):
            answer = await client.post(
                f"{ratchet.url}/whatsapp/webhook", content=body, headers=sign
            )
            assert answer.status_code == 413
    assert "You are in" in said(await Phone(graph, ratchet).says("start"))
