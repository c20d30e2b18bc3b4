"""A Slack channel against the fake Slack, over either transport."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from bot.events import Events
from handlers.slack.channel import SlackChannel
from handlers.slack.live import Sources
from tests.conftest import HeldClock
from tests.fakes.drafts import HeldDrafts
from tests.fakes.inbox import RecordingInbox
from tests.fakes.slack_payloads import Payload, encoded, signed
from tests.fakes.slack_server import SlackServer

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
COMMANDS = {
    *("better", "save-workflow", "metrics", "help", "runs", "run", "why", "agents", "rate"),
    *("approve", "decline", "edit", "rollback", "remember", "forget", "jobs", "stop"),
    "digest",
}


@dataclass
class Lines:
    """A log that is kept."""

    lines: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def __getattr__(self, level: str) -> Callable[..., None]:
        return lambda event, **more: self.lines.append((level, event, more))

    def events(self) -> list[str]:
        return [event for _, event, _ in self.lines]


@dataclass
class Kept:
    """What outlives a process, and what happens in it."""

    events: Events = field(default_factory=Events)
    drafts: HeldDrafts = field(default_factory=HeldDrafts)
    files: dict[str, bytes] = field(default_factory=dict)

    def sources(self) -> Sources:
        return Sources(self.events, self.drafts, lambda text: text.replace("SECRET", "•••"), 0.01)

    async def content(self, workspace: str, file_id: str) -> bytes | None:
        return self.files.get(file_id)


@dataclass
class Slack:
    """The channel with everything around it."""

    server: SlackServer
    inbox: RecordingInbox
    clock: HeldClock
    log: Lines
    parts: set[tuple[str, str]]
    channel: SlackChannel
    http: httpx.AsyncClient
    live: Kept = field(default_factory=Kept)
    _sent: int = 0

    async def post(self, payload: Payload, **headers: str) -> int:
        """A signed request; the status of the answer."""
        found, body = self.signed(payload)
        return (await self.raw(body, found | headers)).status_code

    def signed(self, payload: Payload) -> tuple[dict[str, str], bytes]:
        body, kind = encoded(payload)
        return signed(SECRET, body, self.clock.now() // 1000, kind), body

    async def raw(self, body: bytes, headers: dict[str, str]) -> httpx.Response:
        return await self.http.post("/slack/events", content=body, headers=headers)

    async def envelope(self, payload: Payload) -> str:
        """The same over Socket Mode; the envelope's id once it is acknowledged."""
        self._sent += 1
        envelope_id = f"env-{self._sent}"
        await self.server.connected()
        await self.server.envelope(payload, envelope_id)
        await self.server.acked(envelope_id)
        return envelope_id


def build(
    server: SlackServer, inbox: RecordingInbox, clock: HeldClock, log: Lines, **more: Any
) -> tuple[SlackChannel, set[tuple[str, str]]]:
    parts: set[tuple[str, str]] = set()

    async def takes_part(workspace: str, conversation: str) -> bool:
        return (workspace, conversation) in parts

    tokens = {"bot_token": "xoxb-fake", "app_token": "xapp-fake", "signing_secret": SECRET}
    channel = SlackChannel(
        **{**tokens, "api_url": server.url, **more},
        inbox=inbox,
        clock=clock,
        commands=COMMANDS,
        takes_part=takes_part,
        log=log,
        pause=0.01,
    )
    return channel, parts


def web(channel: SlackChannel) -> httpx.AsyncClient:
    routes = [Route(r.path, r.endpoint, methods=list(r.methods)) for r in channel.routes()]
    transport = httpx.ASGITransport(Starlette(routes=routes))
    return httpx.AsyncClient(transport=transport, base_url="http://testserver")


@pytest.fixture
async def server() -> AsyncIterator[SlackServer]:
    started = await SlackServer().start()
    yield started
    await started.stop()


@pytest.fixture
async def slack(server: SlackServer, clock: HeldClock) -> AsyncIterator[Slack]:
    inbox, log, kept = RecordingInbox(), Lines(), Kept()
    channel, parts = build(server, inbox, clock, log, sources=kept.sources(), content=kept.content)
    await channel.start()
    async with web(channel) as http:
        yield Slack(server, inbox, clock, log, parts, channel, http, kept)
    await channel.stop()
