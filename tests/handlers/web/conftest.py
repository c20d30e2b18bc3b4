"""A web server on loopback with a real run log behind it, and clients that call it."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from openai import AsyncOpenAI
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from bot.clock import SystemClock, SystemIds
from bot.events import Events
from bot.model.agent import AgentVersion
from bot.model.message import Reply
from bot.ports.channels import Route
from handlers.web.channel import WebChannel
from handlers.web.uploads import FileRules
from storage.agents import AgentStore
from storage.files import FileStore
from storage.journal import RunJournal
from storage.runs import RunStore
from tests import databases
from tests.fakes.answering_inbox import AnsweringInbox

KEY = "sk-ratchet-test"
COMMANDS = [("help", "What you can say"), ("metrics", "How it is going")]


@dataclass
class Site:
    """A running server; `cards` are the proposals that wait, `is_ready` what /readyz asks."""

    inbox: AnsweringInbox
    runs: RunStore
    agents: AgentStore
    events: Events
    files: FileStore
    model: str = "seeing"
    cards: list[Reply] = field(default_factory=list)
    is_ready: bool = True
    web: WebChannel | None = None

    def channel(self, host: str = "127.0.0.1", port: int = 0, notice: str = "") -> WebChannel:
        return WebChannel(
            host=host,
            port=port,
            api_key=KEY,
            workspace="local",
            inbox=self.inbox,
            runs=self.runs,
            agents=self.agents,
            events=self.events,
            clock=SystemClock(),
            ids=SystemIds(),
            ready=lambda: self.is_ready,
            routes=[Route("/other/hook", ("POST",), _hook)],
            commands=COMMANDS,
            cards=self._cards,
            notice=notice,
            files=self.files,
            rules=FileRules(size=1000, sees=lambda model: model == "seeing", model=self.model),
        )

    @property
    def url(self) -> str:
        assert self.web is not None
        return self.web.url

    async def _cards(self, workspace: str, refs: Collection[str]) -> Sequence[Reply]:
        return self.cards if workspace == "local" else ()


async def _hook(request: Request) -> PlainTextResponse:
    return PlainTextResponse((await request.body()).decode())


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    db = databases.on_sqlite(tmp_path)
    journal, runs = RunJournal(db), RunStore(db)
    agents, events = AgentStore(db, SystemClock()), Events()
    roster = [AgentVersion(name, 1, "helps", "Help.") for name in ("generalist", "researcher")]
    await agents.seed("local", roster)
    journal.start()
    inbox = AnsweringInbox(journal, runs, events, SystemClock(), SystemIds())
    site = Site(inbox, runs, agents, events, FileStore(db))
    site.web = site.channel()
    await site.web.start()
    yield site
    await site.web.stop()
    await inbox.stop()
    await journal.close()
    await db.close()


@pytest.fixture
async def http(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """A client that carries the API key."""
    headers = {"authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(base_url=site.url, headers=headers, timeout=20) as client:
        yield client


@pytest.fixture
async def openai(site: Site) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=f"{site.url}/v1", api_key=KEY, timeout=20) as client:
        yield client


@pytest.fixture
async def browser(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a key that keeps cookies."""
    async with httpx.AsyncClient(base_url=site.url, timeout=20) as client:
        yield client
