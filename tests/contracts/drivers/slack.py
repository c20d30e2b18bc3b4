"""Slack, over signed HTTP and over Socket Mode."""

import asyncio
import itertools
import re
from typing import Any

import httpx
import structlog

from bot.ports.channels import Channel
from handlers.slack.channel import SlackChannel
from tests.contracts.drivers.driver import Driver, Office, joined
from tests.contracts.drivers.http import caller
from tests.fakes import slack_payloads
from tests.fakes.slack_payloads import TEAM, Payload
from tests.fakes.slack_server import SlackServer, element

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
COMMANDS = ("metrics", "approve", "edit", "decline", "runs", "help")
_RINGS = re.compile(r"<[!@#]\w+")
_LINK = re.compile(r"<javascript:[^>]*>")


class SlackDriver(Driver):
    persons = ("U0MEMBER", "U0SECOND")
    paths: tuple[str, ...] = ("/slack/events",)

    def __init__(self, office: Office) -> None:
        self.server = SlackServer()
        self._number = itertools.count(1)
        super().__init__(office)

    def tokens(self) -> dict[str, Any]:
        return {"signing_secret": SECRET}

    def make(self) -> Channel:
        async def takes_part(workspace: str, conversation: str) -> bool:
            return False

        tokens = self.tokens()
        return SlackChannel(
            bot_token=self.server.bot_token,
            api_url=self.server.url,
            inbox=self.office.inbox,
            clock=self.office.clock,
            commands=COMMANDS,
            takes_part=takes_part,
            log=structlog.get_logger(),
            pause=0.01,
            signing_secret=tokens.get("signing_secret"),
            app_token=tokens.get("app_token"),
        )

    async def open(self) -> None:
        await self.server.start()
        self.channel = self.make()
        await super().open()

    async def close(self) -> None:
        await super().close()
        await self.server.stop()

    async def say(self, text: str, person: str = "", times: int = 1) -> list[bool]:
        number = next(self._number)
        said = slack_payloads.mention(
            text, ts=f"1780000000.{number:06}", user=person or self.persons[0]
        )
        return [await self.deliver(said) for _ in range(times)]

    async def deliver(self, payload: Payload) -> bool:
        body, kind = slack_payloads.encoded(payload)
        headers = slack_payloads.signed(SECRET, body, self.office.clock.now() // 1000, kind)
        async with caller(self.channel) as http:
            answer: httpx.Response = await http.post("/slack/events", content=body, headers=headers)
        return answer.status_code == 200

    async def press(self, label: str, person: str = "", words: str = "") -> None:
        message = self.server.messages[-1]
        who = {"id": person or self.persons[0], "team_id": TEAM}
        pressed = slack_payloads.press(
            element(message, label), message, user=who, trigger_id=f"t{next(self._number)}"
        )
        await self.deliver(pressed)
        if words:
            view = slack_payloads.submitted(self.server.views[-1], words)
            await self.deliver({**view, "user": who})

    async def shown(self) -> str:
        """The entities of Slack's own escaping are what people don't see."""
        everything = [*self.server.messages, *self.server.ephemerals]
        raw = joined(*(text for message in everything for text in _read(message)))
        for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
            raw = raw.replace(entity, character)
        return raw

    async def labels(self) -> list[str]:
        blocks = self.server.messages[-1].get("blocks", ())
        elements = [e for block in blocks for e in block.get("elements", ())]
        return [e["text"]["text"] for e in elements if e["type"] == "button"]

    async def alarms(self) -> list[str]:
        raw = joined(*(text for message in self.server.messages for text in _active(message)))
        return _RINGS.findall(raw) + _LINK.findall(raw)

    async def overheard(self) -> str:
        return joined(*(text for message in self.server.messages for text in _read(message)))


class SlackSocketDriver(SlackDriver):
    paths = ()

    def tokens(self) -> dict[str, Any]:
        return {"app_token": self.server.app_token}

    async def deliver(self, payload: Payload) -> bool:
        await self.server.connected()
        refusals = len(self.office.inbox.refusals)
        envelope = await self._send(payload)
        if not refusals:
            await self.server.acked(envelope)
            return True
        while len(self.office.inbox.refusals) == refusals:
            await asyncio.sleep(0)
        # An acknowledgement would come before that of whatever is delivered next.
        await self.server.acked(await self._send(slack_payloads.event({"type": "app_home_opened"})))
        return envelope in self.server.acks

    async def _send(self, payload: Payload) -> str:
        envelope = f"envelope-{next(self._number)}"
        await self.server.envelope(payload, envelope)
        return envelope


def _read(message: dict[str, Any]) -> list[str]:
    """What people read: the text stands in for the blocks where there are none."""
    return _texts(message.get("blocks") or {"text": message.get("text")})


def _active(message: dict[str, Any]) -> list[str]:
    """The texts in which Slack looks for mentions and links; a plain text has none."""
    return _texts(message, plain=False)


def _texts(message: Any, plain: bool = True) -> list[str]:
    if isinstance(message, list):
        return [text for part in message for text in _texts(part, plain)]
    if not isinstance(message, dict) or (message.get("type") == "plain_text" and not plain):
        return []
    own = [v for k, v in message.items() if k == "text" and isinstance(v, str)]
    return own + [t for k, v in message.items() if k != "metadata" for t in _texts(v, plain)]
