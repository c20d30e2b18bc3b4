"""People in Slack: what they say, press and type reaches a real Ratchet; what they see is shown."""

import itertools
import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import httpx
import pytest

from bot.clock import SystemClock
from bot.ports.clock import Clock
from tests.fakes import slack_payloads
from tests.fakes.slack_payloads import CHANNEL, TEAM, Payload
from tests.fakes.slack_server import Answer, SlackServer, element

SECRET = "signing-secret-of-the-test"


class Served(Protocol):
    """A Ratchet that takes what Slack sends."""

    @property
    def url(self) -> str: ...


class Workspace:
    """Slack between people and one Ratchet, over Socket Mode or signed HTTP."""

    def __init__(
        self,
        server: SlackServer,
        node: Served,
        *,
        socket: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self.server, self._node, self._socket = server, node, socket
        self._number = itertools.count(1)
        self._clock = clock or SystemClock()

    def settings(self) -> dict[str, str]:
        """What makes a Ratchet listen to it."""
        transport = (
            {"SLACK_APP_TOKEN": self.server.app_token}
            if self._socket
            else {"SLACK_SIGNING_SECRET": SECRET}
        )
        return {
            "SLACK_BOT_TOKEN": self.server.bot_token,
            "SLACK_API_URL": self.server.url,
            **transport,
        }

    def person(self, user: str, name: str, **facts: Any) -> "Member":
        self.server.people[user] = {"real_name": name, **facts}
        return Member(self, user)

    def stamp(self) -> str:
        """A new message's ts."""
        return f"{self._clock.now() // 1000}.{next(self._number):06}"

    async def deliver(self, payload: Payload, times: int = 1) -> None:
        """Each time until it is acknowledged, as Slack does."""
        for _ in range(times):
            await (self._over_socket(payload) if self._socket else self._over_http(payload))

    async def _over_socket(self, payload: Payload) -> None:
        envelope = f"envelope-{next(self._number)}"
        await self.server.connected()
        await self.server.envelope(payload, envelope)
        await self.server.acked(envelope)

    async def _over_http(self, payload: Payload) -> None:
        body, kind = slack_payloads.encoded(payload)
        headers = slack_payloads.signed(SECRET, body, self._clock.now() // 1000, kind)
        async with httpx.AsyncClient() as client:
            answer = await client.post(
                f"{self._node.url}/slack/events", content=body, headers=headers
            )
        assert answer.status_code == 200, answer.text


class Member:
    """One person with a client."""

    def __init__(self, slack: Workspace, user: str) -> None:
        self._slack, self.user = slack, user

    async def says(
        self,
        text: str,
        thread: str = "",
        *,
        seeing: str = "",
        times: int = 1,
        channel: str = CHANNEL,
    ) -> Answer:
        """A mention; the first message after it in its thread that shows the words `seeing`. It
        begins a thread if it is in none."""
        ts = self._slack.stamp()
        more = {"channel": channel, **({"thread_ts": thread} if thread else {})}
        before = len(self._slack.server.messages)
        mention = slack_payloads.mention(text, ts=ts, user=self.user, **more)
        await self._slack.deliver(mention, times)

        def answers(message: Answer) -> bool:
            return message.get("thread_ts") == (thread or ts) and seeing in shown(message)

        return await self.sees(answers, since=before)

    async def commands(self, command: str, text: str) -> Answer:
        """A slash command; the first message that comes of it."""
        before = len(self._slack.server.messages)
        trigger = self._slack.stamp()
        await self._slack.deliver(
            slack_payloads.slash(command, text, user_id=self.user, trigger_id=trigger)
        )
        return await self.sees(lambda m: "thread_ts" not in m, since=before)

    async def presses(self, message: Mapping[str, Any], label: str, times: int = 1) -> None:
        """A button, clicked as often as `times` says: each click is a delivery of its own."""
        for _ in range(times):
            await self._press(
                {**element(message, label), "action_ts": self._slack.stamp()}, message
            )

    async def rates(self, message: Mapping[str, Any], half: str) -> None:
        """Half of the thumbs below an answer: "positive" or "negative"."""
        found = [e for block in message["blocks"] for e in block.get("elements", ())]
        thumbs = next(e for e in found if e["type"] == "feedback_buttons")
        action = {"type": thumbs["type"], "action_id": thumbs["action_id"]}
        stamp = {"action_ts": self._slack.stamp(), "value": thumbs[f"{half}_button"]["value"]}
        await self._press({**action, **stamp}, message)

    async def reacts(self, message: Mapping[str, Any], emoji: str) -> None:
        channel = str(message["channel"])
        await self._slack.deliver(
            slack_payloads.reaction(emoji, message["ts"], channel=channel, user=self.user)
        )

    async def tells(self, message: Mapping[str, Any], label: str, words: str) -> None:
        """A button that asks, and the modal that it opens."""
        opened = len(self._slack.server.views)
        await self.presses(message, label)
        await self._slack.server.until(lambda: len(self._slack.server.views) > opened)
        payload = slack_payloads.submitted(self._slack.server.views[-1], words)
        payload["user"] = self._identity()
        payload["view"]["id"] = f"V{self._slack.stamp()}"
        await self._slack.deliver(payload)

    async def sees(self, truth: Callable[[Answer], bool], since: int = 0) -> Answer:
        """The first of the bot's messages (from number `since` on) that is so, once it is there
        and grows no more."""
        messages = self._slack.server.messages

        def so(message: Answer) -> bool:
            return truth(message) and not grows(message)

        try:
            await self._slack.server.until(lambda: any(map(so, messages[since:])))
        except TimeoutError:
            came = [str(message["text"]) for message in messages[since:]]
            pytest.fail("\n".join(["It never came. What came:", *came]))
        return next(m for m in messages[since:] if so(m))

    async def reads(self, words: str, on: Mapping[str, Any] | None = None) -> Answer:
        """The first message that shows the words; `on` is the one in which they are to appear."""
        return await self.sees(lambda m: words in shown(m) and on in (None, m))

    async def is_told(self, words: str) -> None:
        """Something that nobody else sees."""
        told = self._slack.server.ephemerals
        await self._slack.server.until(
            lambda: any(words in m["text"] and m["user"] == self.user for m in told)
        )

    async def _press(self, pressed: Mapping[str, Any], message: Mapping[str, Any]) -> None:
        await self._slack.deliver(
            slack_payloads.press(
                pressed,
                message,
                channel=message.get("channel", CHANNEL),
                user=self._identity(),
                trigger_id=self._slack.stamp(),
            )
        )

    def _identity(self) -> dict[str, str]:
        return {"id": self.user, "team_id": TEAM}


def shown(message: Mapping[str, Any]) -> str:
    """Everything that can be read in a message."""
    return json.dumps([message.get("text"), message.get("blocks")], ensure_ascii=False)


def grows(message: Mapping[str, Any]) -> bool:
    """Whether it is an answer that isn't finished yet."""
    marked = message.get("metadata", {}).get("event_payload", {}).get("delivery", "")
    return message.get("streaming_state") == "in_progress" or marked.startswith("draft:")


def labels(message: Mapping[str, Any]) -> list[str]:
    """The buttons that can be pressed."""
    return [
        found["text"]["text"]
        for block in message.get("blocks", ())
        for found in block.get("elements", ())
        if found.get("type") == "button"
    ]
