"""A thousand people in fifty channels over three platforms, and one Ratchet that answers them."""

import asyncio
import json
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import psutil

from benchmarks import service
from tests.fakes import slack_payloads, telegram_server, whatsapp_server
from tests.fakes.slack_server import SlackServer
from tests.fakes.telegram_chats import user_of
from tests.fakes.telegram_server import TelegramServer
from tests.fakes.trouble import Trouble, Troubles
from tests.fakes.whatsapp_server import WhatsAppServer
from tests.stories.nodes import Node

_SECRET = "secret-of-the-benchmark"
_RATE = 20.0
_MODEL_MS = 300
_WORD = re.compile(r"\bw\d{6}\b|\bP\d{6}\b")
_ON_SLACK, _ON_TELEGRAM, _ON_WHATSAPP = 500, 300, 200
_ROOMS = 25
"""Channels on Slack, and as many groups on Telegram; half of the people there write in private."""
_PLACES = ("thread_ts", "timestamp", "chat_id", "to", "message_id")
"""Where a call says which conversation it is about."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds from the moment a person sends to what they see."""

    messages: int
    lost: int
    doubled: int
    signs: Mapping[str, list[float]]
    answers: list[float]
    growth_mb: float
    cpu: float

    def sign(self, share: float, platform: str = "") -> float:
        wanted = [s for name, found in self.signs.items() if platform in ("", name) for s in found]
        return _percentile(wanted, share)

    def answer(self, share: float) -> float:
        return _percentile(self.answers, share)


@dataclass
class Eyes(Troubles):
    """Every call to a platform passes here, and none meets trouble."""

    expected: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    sent: dict[str, float] = field(default_factory=dict)
    signs: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)

    def expects(self, place: str, word: str) -> None:
        now = time.perf_counter()
        self.expected[place].append(now)
        self.sent[word] = now

    def of(self, args: object) -> Trouble | None:
        assert isinstance(args, dict)
        now = time.perf_counter()
        for place in {str(args.get(name)) for name in _PLACES}:
            self.signs += [now - sent for sent in self.expected.pop(place, ())]
        for word in set(_WORD.findall(json.dumps(args))):
            if word in self.sent:
                self.answers.append(now - self.sent.pop(word))
        return None


class Crowd:
    """The people, the platforms they are on, and what reaches them."""

    def __init__(self) -> None:
        self.slack, self.telegram, self.whatsapp = SlackServer(), TelegramServer(), WhatsAppServer()
        self.eyes = {name: Eyes() for name in ("slack", "telegram", "whatsapp")}
        self.slack.trouble = self.eyes["slack"]
        self.telegram.trouble = self.eyes["telegram"]
        self.whatsapp.trouble = self.eyes["whatsapp"]
        self.telegram.now = self._born = round(time.time())
        self.words: list[str] = []

    async def start(self) -> None:
        for server in (self.slack, self.telegram, self.whatsapp):
            await server.start()
        for number in range(_ON_SLACK):
            self.slack.people[f"U{number:05}"] = {"real_name": f"Person {number}"}
        self.slack.members |= {f"C{room:03}" for room in range(_ROOMS)}
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))

    async def stop(self) -> None:
        await self._session.close()
        for server in (self.slack, self.telegram, self.whatsapp):
            await server.stop()

    def settings(self) -> dict[str, str]:
        return {
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_SIGNING_SECRET": _SECRET,
            "SLACK_API_URL": self.slack.url,
            "TELEGRAM_BOT_TOKEN": telegram_server.TOKEN,
            "TELEGRAM_API_BASE": self.telegram.url,
            "TELEGRAM_WEBHOOK_SECRET": _SECRET,
            "WHATSAPP_TOKEN": whatsapp_server.TOKEN,
            "WHATSAPP_PHONE_ID": whatsapp_server.PHONE_ID,
            "WHATSAPP_APP_SECRET": whatsapp_server.APP_SECRET,
            "WHATSAPP_VERIFY_TOKEN": whatsapp_server.VERIFY,
            "WHATSAPP_GRAPH_URL": self.whatsapp.url,
            "RATCHET_APPROVERS": ",".join(f"whatsapp:{_phone(n)}" for n in range(_ON_WHATSAPP)),
        }

    async def talk(self, url: str, seconds: float) -> None:
        """Everyone in turn, in another order each round, however long the answers take."""
        saying: set[asyncio.Task[None]] = set()
        begun = time.perf_counter()
        for number, person in enumerate(_turns(round(seconds * _RATE))):
            await asyncio.sleep(begun + number / _RATE - time.perf_counter())
            task = asyncio.create_task(self._says(url, person, number))
            saying.add(task)
            task.add_done_callback(saying.discard)
        await asyncio.gather(*saying)

    async def answered(self, within: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                while any(eyes.sent for eyes in self.eyes.values()):
                    await asyncio.sleep(0.1)
        await asyncio.sleep(2.0)  # what would be sent twice gets the time to be

    def shown(self) -> Counter[str]:
        """In how many messages each word can be read."""
        telegram = (m for m in self.telegram.messages.values() if m["from"]["is_bot"])
        texts = map(json.dumps, (*self.slack.messages, *telegram, *self.whatsapp.shown))
        return Counter(word for text in texts for word in set(_WORD.findall(text)))

    async def _says(self, url: str, person: int, number: int) -> None:
        if person < _ON_SLACK:
            await self._on_slack(url, person, number)
        elif person < _ON_SLACK + _ON_TELEGRAM:
            await self._on_telegram(url, person - _ON_SLACK, number)
        else:
            await self._on_whatsapp(url, person - _ON_SLACK - _ON_TELEGRAM, number)

    async def _on_slack(self, url: str, person: int, number: int) -> None:
        ts, word = f"{self._born}.{number:06}", f"w{number:06}"
        said = slack_payloads.mention(f"Please repeat {word}", ts=ts, user=f"U{person:05}")
        said["event"]["channel"] = f"C{person % _ROOMS:03}"
        body, kind = slack_payloads.encoded(said)
        headers = slack_payloads.signed(_SECRET, body, round(time.time()), kind)
        await self._post("slack", f"{url}/slack/events", body, headers, ts, word)

    async def _on_telegram(self, url: str, person: int, number: int) -> None:
        user, word = 5_000 + person, f"w{number:06}"
        private = person % 2 == 0
        chat = user if private else -100_000 - person % _ROOMS
        name = "" if private else "@ratchet_bot "
        content: dict[str, object] = {"text": f"{name}Please repeat {word}"}
        if name:
            content["entities"] = [{"type": "mention", "offset": 0, "length": len(name) - 1}]
        message = {**self.telegram.new(chat, user, content), "from": user_of(user)}
        body = json.dumps({"update_id": 700_000 + number, "message": message}).encode()
        headers = {"X-Telegram-Bot-Api-Secret-Token": _SECRET, "Content-Type": "application/json"}
        await self._post("telegram", f"{url}/telegram/webhook", body, headers, str(chat), word)

    async def _on_whatsapp(self, url: str, person: int, number: int) -> None:
        phone, word = _phone(person), f"P{100_000 + number}"
        stamp = str(round(time.time()))
        said = whatsapp_server.text(f"decline {word}", f"wamid.{number}", timestamp=stamp)
        contact = {"profile": {"name": f"Person {person}"}, "wa_id": phone}
        said = {k: v for k, v in said.items() if k != "from_user_id"} | {"from": phone}
        body, headers = whatsapp_server.signed(whatsapp_server.webhook(said, contacts=[contact]))
        await self._post("whatsapp", f"{url}/whatsapp/webhook", body, headers, phone, word)

    async def _post(
        self, platform: str, url: str, body: bytes, headers: dict[str, str], place: str, word: str
    ) -> None:
        """Until it is acknowledged, at most three times, as the platforms do."""
        self.words.append(word)
        self.eyes[platform].expects(place, word)
        for _ in range(3):
            with suppress(aiohttp.ClientError, TimeoutError):
                async with self._session.post(url, data=body, headers=headers) as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.5)


async def figures(folder: Path, seconds: float) -> Figures:
    crowd = Crowd()
    await crowd.start()
    budgets = {f"RATCHET_BUDGET_{name}": "1000" for name in ("DAY", "MONTH", "AGENT_DAY")}
    async with service.model(_MODEL_MS) as model_url:
        node = service.ratchet(folder, model_url, crowd.settings() | budgets)
        await node.start()
        try:
            return await _measured(crowd, node, seconds)
        finally:
            await node.stop()
            await crowd.stop()


async def _measured(crowd: Crowd, node: Node, seconds: float) -> Figures:
    await asyncio.sleep(6.0)  # what starts later has started
    process = psutil.Process(node.pid)
    before = service.cpu_seconds(process)
    talking = asyncio.create_task(crowd.talk(node.url, seconds))
    await asyncio.sleep(seconds / 2)
    half_way = service.megabytes(process)
    await talking
    full, used = service.megabytes(process), service.cpu_seconds(process) - before
    await crowd.answered(within=60.0)
    shown = crowd.shown()
    return Figures(
        messages=len(crowd.words),
        lost=sum(not shown[word] for word in crowd.words),
        doubled=sum(times > 1 for times in shown.values()),
        signs={name: eyes.signs for name, eyes in crowd.eyes.items()},
        answers=[s for eyes in crowd.eyes.values() for s in eyes.answers],
        growth_mb=full - half_way,
        cpu=used / seconds,
    )


def _turns(count: int) -> Iterator[int]:
    chance, people = random.Random(5), list[int]()
    for _ in range(count):
        if not people:
            people = list(range(_ON_SLACK + _ON_TELEGRAM + _ON_WHATSAPP))
            chance.shuffle(people)
        yield people.pop()


def _phone(person: int) -> str:
    return str(15_550_000_000 + person)


def _percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("inf")
