"""One small office on three platforms: what happens there is what the pictures show."""

import asyncio
import itertools
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.fakes import slack_payloads, whatsapp_server
from tests.fakes.model_answers import Body, asked
from tests.fakes.model_server import ModelServer
from tests.fakes.slack_server import SlackServer
from tests.fakes.telegram_server import TelegramServer
from tests.fakes.whatsapp_server import WhatsAppServer
from tests.pictures.camera import Tab
from tests.stories import telegram_people
from tests.stories.nodes import Node
from tests.stories.slack_people import Workspace, shown
from tests.stories.telegram_people import Phone

Json = dict[str, Any]
ADMINS, APPROVER, NUMBER = "C0ADMINS", 7, "15551234"
QUESTION = "How long may a customer send something back?"
LESSON = "Customers may send things back for 30 days, not 14; shoes for 60"
INVOICES = "When do we send invoices?"
TAUGHT = "We send invoices on the first Monday of the month."
_OLD = """Customers may send things back within **14 days** of delivery.

| what | how long |
|---|---|
| most things | 14 days |
| opened software | not at all |

They begin at `shop.example/returns`, and we pay the parcel."""
_NEW = (
    _OLD.replace("**14 days**", "**30 days**")
    .replace("| 14 days", "| 30 days")
    .replace("| opened", "| shoes | 60 days |\n| opened")
)


@dataclass
class Album:
    """What was shown, by the picture's name."""

    slack: dict[str, list[Json]] = field(default_factory=dict)
    homes: dict[str, Json] = field(default_factory=dict)
    telegram: dict[str, list[Json]] = field(default_factory=dict)
    whatsapp: dict[str, list[Json]] = field(default_factory=dict)
    files: Mapping[str, Any] = field(default_factory=dict)


async def play(folder: Path, tab: Tab, target: Path) -> Album:
    slack, telegram, graph = SlackServer(), TelegramServer(), WhatsAppServer()
    slack.members.add(ADMINS)
    telegram.now = round(time.time())
    model = ModelServer(reply=_answer)
    for server in (slack, telegram, graph, model):
        await server.start()
    node = Node(folder / "home", _settings(graph, model) | telegram_people.settings(telegram))
    workspace = Workspace(slack, node)
    node.set(workspace.settings())
    alone = Node(folder / "alone", {"OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": "none"})
    await node.start()
    await alone.start()
    try:
        office = _Office(workspace, telegram, graph, node)
        await office.day()
        await _in_the_browser(alone, tab, target)
        await office.run_out()
        return office.album
    finally:
        await alone.stop()
        await node.stop()
        for server in (slack, telegram, graph, model):
            await server.stop()


def _settings(graph: WhatsAppServer, model: ModelServer) -> dict[str, str]:
    return {
        "OPENAI_BASE_URL": model.url,
        "OPENAI_API_KEY": "none",
        "RATCHET_ADMIN_CHANNEL": f"slack:{ADMINS}, telegram:{APPROVER}, whatsapp:{NUMBER}",
        "RATCHET_OWNERS": "slack:U0OWNER",
        "RATCHET_APPROVERS": f"telegram:{APPROVER}, whatsapp:{NUMBER}",
        "WHATSAPP_TOKEN": whatsapp_server.TOKEN,
        "WHATSAPP_PHONE_ID": whatsapp_server.PHONE_ID,
        "WHATSAPP_APP_SECRET": whatsapp_server.APP_SECRET,
        "WHATSAPP_VERIFY_TOKEN": whatsapp_server.VERIFY,
        "WHATSAPP_GRAPH_URL": graph.url,
    }


def _answer(body: Body) -> str:
    if INVOICES in asked(body):
        known = "first Monday" in str(body["messages"])
        return "On the **first Monday of the month**." if known else "With each parcel."
    if QUESTION not in asked(body):
        return "Noted."
    return _NEW if "30 days" in str(body["messages"]) else _OLD


class _Office:
    def __init__(
        self, slack: Workspace, telegram: TelegramServer, graph: WhatsAppServer, node: Node
    ) -> None:
        self._slack, self._telegram, self._graph, self._node = slack, telegram, graph, node
        self._number = itertools.count(1)
        self._owner = slack.person("U0OWNER", "Owner")
        self._member = slack.person("U0MEMBER", "Member")
        self._phone = Phone(telegram, APPROVER)
        self.album = Album(files=slack.server.store.held)

    async def day(self) -> None:
        await self._phone.says("/start")
        await self._agree()
        await self._ask_and_teach()
        await self._look()

    async def _agree(self) -> None:
        """On WhatsApp only who said yes is written to."""
        yes = whatsapp_server.text("start", "wamid.1", timestamp=str(round(time.time())))
        said = whatsapp_server.webhook({**yes, "from": NUMBER}, contacts=[{"wa_id": NUMBER}])
        body, headers = whatsapp_server.signed(said)
        async with httpx.AsyncClient() as client:
            await client.post(f"{self._node.url}/whatsapp/webhook", content=body, headers=headers)
        await self._graph.until(lambda: next(iter(self._graph.shown), None))

    async def _ask_and_teach(self) -> None:
        wrong = await self._member.says(QUESTION, seeing=" v1 · ")
        thread = wrong["thread_ts"]
        asking = {"who": "Member", "text": f"@Ratchet {QUESTION}"}
        self.album.slack["slack-answer"] = [asking, dict(wrong)]
        card = await self._member.says(f"better {LESSON}", thread, seeing="Approve")
        correcting = {"who": "Member", "text": f"@Ratchet better {LESSON}"}
        self.album.slack["slack-proposal"] = [correcting, dict(card)]
        on_phone = await self._phone.sees(lambda m: "Approve" in telegram_people.labels(m))
        self.album.telegram["telegram-proposal"] = [self._as_sent(on_phone)]
        on_whatsapp = await self._graph.until(lambda: self._card_on_whatsapp())
        self.album.whatsapp["whatsapp-proposal"] = [on_whatsapp]
        await self._phone.presses(on_phone, "Approve")
        await self._phone.reads("Approved by", on_phone)
        decided = await self._owner.reads("Approved by", card)
        self.album.slack["slack-decided"] = [dict(decided)]
        await self._member.says(QUESTION, seeing="60 days")

    async def _look(self) -> None:
        await self._private("slack-metrics", "/metrics")
        await self._private("slack-digest", "/digest", "now")
        opened = {"type": "app_home_opened", "tab": "home", "user": "U0OWNER", "channel": "D0OWNER"}
        await self._slack.deliver(_event(opened, self._slack.stamp()))
        await asyncio.sleep(2.0)
        self.album.homes["slack-home"] = self._slack.server.homes["U0OWNER"]

    async def _private(self, name: str, command: str, text: str = "") -> None:
        told = self._slack.server.ephemerals
        before = len(told)
        await self._slack.deliver(_slash(command, text, self._slack.stamp()))
        await self._slack.server.until(lambda: len(told) > before)
        await asyncio.sleep(1.5)  # its picture
        self.album.slack[name] = list(told[before:])

    async def run_out(self) -> None:
        """Money, and a reply that nobody can be given."""
        self._slack.server.trouble.add("Remembered for you", "refused", 99)
        await self._slack.deliver(
            _event(
                {
                    "type": "app_mention",
                    "channel": "C0GENERAL",
                    "user": "U0MEMBER",
                    "text": "<@U0BOT> remember the parcel service comes at four",
                    "ts": (ts := self._slack.stamp()),
                    "event_ts": ts,
                },
                ts,
            )
        )
        told = await self._owner.sees(
            lambda m: m["channel"] == ADMINS and "not be delivered" in shown(m)
        )
        self.album.slack["slack-undelivered"] = [dict(told)]
        await self._owner.commands("/budget", "set workspace day 0.001")
        for number in range(10):
            await self._member.says(f"{number}. {'What is new in our shop? ' * 250}")
            warned = [m for m in self._slack.server.messages if "are spent" in shown(m)]
            if warned:
                self.album.slack["slack-budget"] = warned[:1]
                return

    def _card_on_whatsapp(self) -> Json | None:
        return next((m for m in self._graph.shown if "P1" in str(m)), None)

    def _as_sent(self, message: Json) -> Json:
        """With the HTML that the bot sent: what is kept of a message is its plain words."""
        for call in reversed(self._telegram.calls):
            given = call.params
            if call.method in ("sendMessage", "editMessageText") and "P1" in str(given.get("text")):
                return {**given, "reply_markup": message.get("reply_markup", {})}
        raise LookupError("no such call")


async def _in_the_browser(node: Node, tab: Tab, target: Path) -> None:
    """The web chat of someone alone: a question, a lesson, its approval, the question again."""
    await tab.open(node.url, 860, 1120)
    await _says(tab, INVOICES, "With each parcel")
    await _says(tab, f"/better {TAUGHT}", "Decline")
    await tab.run(
        "[...document.querySelectorAll('.buttons button')]"
        ".find(button => button.innerText === 'Approve').click()"
    )
    await tab.until("document.querySelector('#thread').innerText.includes('Roll back')")
    await _says(tab, INVOICES, "On the first Monday of the month.")
    await asyncio.sleep(0.5)
    await tab.photograph(target / "chat.png", whole=False)


async def _says(tab: Tab, words: str, seen: str) -> None:
    await tab.run("document.querySelector('#composer textarea').focus()")
    await tab.types(words)
    await tab.run("document.querySelector('#composer button').click()")
    await tab.until(f"document.querySelector('#thread').innerText.includes('{seen}')")


def _slash(command: str, text: str, stamp: str) -> Json:
    from_owner = {"user_id": "U0OWNER", "trigger_id": stamp}
    return slack_payloads.slash(command, text, **from_owner)


def _event(inner: Json, stamp: str) -> Json:
    return slack_payloads.event(inner, event_id=f"Ev{stamp}")
