"""Slack, over signed HTTP and over Socket Mode."""

import itertools
import json
from collections.abc import Mapping

from bot.clock import SystemClock
from tests.fakes import slack_payloads
from tests.fakes.slack_server import SlackServer
from tests.faults.platform import Json, Platform, post, post_unheard

SECRET = "signing-secret-of-the-test"
ADMINS = "C0ADMINS"


class SlackOverHttp(Platform):
    name = "slack-http"

    def __init__(self) -> None:
        super().__init__()
        self.server = SlackServer()
        self.trouble = self.server.trouble
        self._number = itertools.count(1)

    async def start(self) -> None:
        self.server.members.add(ADMINS)
        await self.server.start()

    async def stop(self) -> None:
        await self.server.stop()

    def settings(self) -> Mapping[str, str]:
        return {
            "SLACK_BOT_TOKEN": self.server.bot_token,
            "SLACK_API_URL": self.server.url,
            "RATCHET_ADMIN_CHANNEL": f"slack:{ADMINS}",
            **self.transport(),
        }

    def transport(self) -> Mapping[str, str]:
        return {"SLACK_SIGNING_SECRET": SECRET}

    def event(self, words: str) -> Json:
        stamp = f"{SystemClock().now() // 1000}.{next(self._number):06}"
        return slack_payloads.mention(words, ts=stamp)

    async def deliver(self, event: Json) -> None:
        await post(*self._signed(event))

    async def deliver_unheard(self, event: Json) -> None:
        await post_unheard(*self._signed(event))

    def seen(self, words: str) -> int:
        return sum(words in json.dumps(message) for message in self.server.messages)

    def told(self) -> list[str]:
        return [str(m["text"]) for m in self.server.messages if m["channel"] == ADMINS]

    def _signed(self, event: Json) -> tuple[str, bytes, Mapping[str, str]]:
        body, kind = slack_payloads.encoded(event)
        headers = slack_payloads.signed(SECRET, body, SystemClock().now() // 1000, kind)
        return f"{self.node.url}/slack/events", body, headers


class SlackOverSocket(SlackOverHttp):
    name = "slack-socket"

    def transport(self) -> Mapping[str, str]:
        return {"SLACK_APP_TOKEN": self.server.app_token}

    async def deliver(self, event: Json) -> None:
        envelope = f"envelope-{next(self._number)}"
        await self.server.connected()
        await self.server.envelope(event, envelope)
        await self.server.acked(envelope)

    async def deliver_unheard(self, event: Json) -> None:
        await self.server.connected()
        await self.server.envelope(event, f"envelope-{next(self._number)}")
        await self.server.hang_up()

    async def hang_up(self) -> None:
        await self.server.hang_up()
