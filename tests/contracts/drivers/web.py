"""The page in a browser without scripts, on a real server."""

import html
import itertools
import re
from collections.abc import Collection, Sequence
from html.parser import HTMLParser

import httpx

from bot.model.agent import AgentVersion
from bot.model.message import Reply
from bot.ports.channels import Channel
from handlers.web.channel import WebChannel
from storage.agents import AgentStore
from storage.files import FileStore
from tests.contracts.drivers.driver import Driver, Office

_SCRIPT = re.compile(r"<script|<[^>]*\son\w+=|href=\"javascript:|src=\"http|<b\s", re.IGNORECASE)
_FORM = re.compile(r"<form[^>]*>.*?</form>", re.DOTALL)
_INPUT = re.compile(r"name=\"(id|button|text)\" value=\"([^\"]*)\"")


class WebDriver(Driver):
    persons = ("local", "local")

    def __init__(self, office: Office) -> None:
        self._number = itertools.count(1)
        self._cards: list[Reply] = []
        self._agents = AgentStore(office.db, office.clock)
        super().__init__(office)

    def make(self) -> Channel:
        return WebChannel(
            host="127.0.0.1",
            port=0,
            api_key="sk-ratchet-test",
            workspace="local",
            inbox=self.office.inbox,
            runs=self.office.runs,
            agents=self._agents,
            events=self.office.events,
            clock=self.office.clock,
            ids=self.office.ids,
            ready=lambda: True,
            cards=self._now,
            files=FileStore(self.office.db),
        )

    async def open(self) -> None:
        await self._agents.seed("local", [AgentVersion("generalist", 1, "helps", "Help.")])
        await super().open()
        self._browser = httpx.AsyncClient(base_url=self.channel.summary, timeout=20)

    async def close(self) -> None:
        await self._browser.aclose()
        await super().close()

    async def say(self, text: str, person: str = "", times: int = 1) -> list[bool]:
        fields = {"id": f"said-{next(self._number):08}", "text": text}
        return [await self._post(fields) for _ in range(times)]

    async def show(self, reply: Reply) -> None:
        self._cards = [reply] if reply.card and reply.card.ref else []
        await super().show(reply)

    async def change(self, reply: Reply) -> None:
        self._cards = [reply]

    async def press(self, label: str, person: str = "", words: str = "") -> None:
        form = next(f for f in self._forms(await self._page()) if f">{label}</button>" in f)
        fields = {name: html.unescape(value) for name, value in _INPUT.findall(form)}
        await self._post(fields | ({"extra": words} if words else {}))

    async def shown(self) -> str:
        reader = _Reader()
        reader.feed(await self._page())
        return "".join(reader.text)

    async def labels(self) -> list[str]:
        found = [re.findall(r">([^<]+)</button>", f)[-1] for f in self._forms(await self._page())]
        return [label for label in found if label in self.buttons]

    async def alarms(self) -> list[str]:
        return _SCRIPT.findall(await self._page())

    async def _now(self, workspace: str, refs: Collection[str]) -> Sequence[Reply]:
        return self._cards

    async def _page(self) -> str:
        """The conversation alone."""
        page = (await self._browser.get("/")).text
        return page[page.index("<main>") : page.index("</main>")]

    async def _post(self, fields: dict[str, str]) -> bool:
        page = (await self._browser.get("/")).text
        token = re.findall(r'id="token" name="token" value="(\w+)"', page)[0]
        answer = await self._browser.post("/chat/say", data={**fields, "token": token})
        return answer.status_code == 303

    def _forms(self, page: str) -> list[str]:
        return [form for form in _FORM.findall(page) if "/chat/say" in form]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []

    def handle_data(self, data: str) -> None:
        self.text.append(data)
