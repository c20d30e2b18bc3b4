"""Weeks of a team in seconds: a Ratchet whose clock is moved, on Slack or on Telegram."""

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from bot.app import App
from bot.clock import SystemClock
from bot.config import load
from bot.model.run import Run, RunStatus
from bot.model.workspace import HOME
from bot.wiring import open_app
from jobs import SCHEDULE
from tests.fakes.model_server import ModelServer
from tests.fakes.slack_payloads import CHANNEL
from tests.fakes.slack_server import SlackServer
from tests.fakes.telegram_server import TelegramServer
from tests.stories import slack_people, telegram_people
from tests.stories.slack_people import Member, Workspace
from tests.stories.telegram_people import Phone

PLATFORMS = ("slack", "telegram")
OWNER, APPROVER, STRANGER = "owner", "approver", "stranger"
MEMBERS = ("ann", "ben", "cem", "dea", "eli", "fay")
GOODS = ("tents", "boots", "lamps", "stoves", "ropes", "maps", "socks", "bags", "mats", "pegs")
RETURNED = "How long can {} be returned?"
ADMINS = "C0ADMINS"
_STARTED = re.compile(r"runs now as `?(\w+)")
_WITHIN = 30.0


class Calendar(SystemClock):
    """The time of this machine, and what a story left out."""

    def __init__(self) -> None:
        self._left_out = 0

    def now(self) -> int:
        return super().now() + self._left_out

    def monotonic(self) -> float:
        return super().monotonic() + self._left_out / 1000

    def skip(self, hours: float) -> None:
        self._left_out += round(hours * 3_600_000)


@dataclass(frozen=True, slots=True)
class Shown:
    """A message of the bot's; it reads as it is on the screen now."""

    raw: Mapping[str, Any]
    thread: str
    """The same for everything in one thread, or in one private chat."""
    text_of: Callable[[Mapping[str, Any]], str]
    labels_of: Callable[[Mapping[str, Any]], Sequence[str]]

    @property
    def text(self) -> str:
        return self.text_of(self.raw)

    @property
    def labels(self) -> Sequence[str]:
        return self.labels_of(self.raw)


class Colleague(ABC):
    """Someone who talks to the bot; what comes back is what they see."""

    @abstractmethod
    async def asks(self, question: str) -> Shown:
        """In a conversation of its own, as far as the platform has such; the answer."""

    @abstractmethod
    async def says(self, text: str, about: Shown | None = None, seeing: str = "") -> Shown:
        """A command, where `about` stands; the first message after it that shows `seeing`."""

    @abstractmethod
    async def presses(self, shown: Shown, label: str) -> None:
        """A button of the message, as it was when they saw it."""

    @abstractmethod
    async def rates(self, shown: Shown, good: bool) -> None:
        """The thumbs below an answer."""

    @abstractmethod
    async def reads(self, words: str, on: Shown | None = None) -> Shown:
        """The first message that shows the words; `on` is the one in which they are to appear."""


class OnSlack(Colleague):
    def __init__(self, member: Member) -> None:
        self._member = member

    async def asks(self, question: str) -> Shown:
        return _of_slack(await self._member.says(question))

    async def says(self, text: str, about: Shown | None = None, seeing: str = "") -> Shown:
        raw = about.raw if about else {}
        thread, channel = raw.get("thread_ts") or raw.get("ts", ""), raw.get("channel", CHANNEL)
        marked = f"!{text[1:]}" if text.startswith("/") else text
        said = await self._member.says(marked, thread, seeing=seeing, channel=channel)
        return _of_slack(said)

    async def presses(self, shown: Shown, label: str) -> None:
        await self._member.presses(shown.raw, label)

    async def rates(self, shown: Shown, good: bool) -> None:
        await self._member.rates(shown.raw, "positive" if good else "negative")

    async def reads(self, words: str, on: Shown | None = None) -> Shown:
        return _of_slack(await self._member.reads(words, on.raw if on else None))


class OnTelegram(Colleague):
    def __init__(self, phone: Phone) -> None:
        self._phone = phone

    async def asks(self, question: str) -> Shown:
        return _of_telegram(await self._phone.says(question, "👍"))

    async def says(self, text: str, about: Shown | None = None, seeing: str = "") -> Shown:
        return _of_telegram(await self._phone.says(text, seeing=seeing))

    async def presses(self, shown: Shown, label: str) -> None:
        await self._phone.presses(shown.raw, label)

    async def rates(self, shown: Shown, good: bool) -> None:
        await self._phone.presses(shown.raw, "👍" if good else "👎")

    async def reads(self, words: str, on: Shown | None = None) -> Shown:
        return _of_telegram(await self._phone.reads(words, on.raw if on else None))


def _of_slack(raw: Mapping[str, Any]) -> Shown:
    thread = f"{raw['channel']} {raw.get('thread_ts') or raw['ts']}"
    return Shown(raw, thread, slack_people.shown, slack_people.labels)


def _of_telegram(raw: Mapping[str, Any]) -> Shown:
    return Shown(raw, str(raw["chat"]["id"]), telegram_people.shown, telegram_people.labels)


@dataclass
class Team:
    """Everyone by name, and the Ratchet they share."""

    app: App
    calendar: Calendar
    model: ModelServer
    people: Mapping[str, Colleague]
    telegram: TelegramServer | None = None
    thumbs: int = 0
    goods: Iterator[str] = field(default_factory=lambda: cycle(GOODS))

    def __getitem__(self, name: str) -> Colleague:
        return self.people[name]

    async def everyone(self, good: str, question: str = RETURNED) -> list[Shown]:
        """Each member asks once, in a new sitting, and presses a thumb: up where the answer has
        the words `good`. The answers."""
        goods = next(self.goods)
        answers = []
        for name in MEMBERS:
            answer = await self.people[name].asks(question.format(f"{goods} ({name})"))
            await self.people[name].rates(answer, good in answer.text)
            answers.append(answer)
            self.thumbs += 1
        await self.settled(self.thumbs, "/rate ")
        await self.later(hours=7)
        return answers

    async def settled(self, after: int = 0, said: str = "") -> None:
        """Once nothing is under way, and the command `said` was said so often."""
        async with asyncio.timeout(_WITHIN):
            while True:
                runs = await self.runs()
                came = sum(run.message.startswith(said) for run in runs)
                if came >= after and all(run.finished_at for run in runs):
                    return
                await asyncio.sleep(0.01)

    async def later(self, hours: float) -> None:
        """Nobody writes for so long."""
        await self.settled()
        self.calendar.skip(hours)
        if self.telegram:
            self.telegram.now = self.calendar.now() // 1000

    async def works(self, job: str) -> str:
        """The owner has a job run now; what it said."""
        told = await self.people[OWNER].says(f"/jobs run {job}", seeing="runs now as")
        found = _STARTED.search(told.text)
        assert found, told.text
        async with asyncio.timeout(_WITHIN):
            while True:
                run = await self.app.services.runs.find(HOME, found[1])
                if run and run.finished_at:
                    assert not run.error_type, run.error_message
                    return run.answer
                await asyncio.sleep(0.01)

    async def runs(self, *kinds: str) -> list[Run]:
        return await self.app.services.runs.recent(HOME, kinds=kinds, limit=1_000)


async def until_ended(here: Team, good: str, question: str = RETURNED) -> None:
    """Days go by, everyone asks and rates what they get, until the one trial has its verdict."""
    for _ in range(30):
        await here.everyone(good, question)
        if (await here.works("trials")) != "1 looked at, 0 started, 0 ended":
            return
    pytest.fail("The trial goes on and on")


async def refused(here: Team, said: str) -> int:
    """How often somebody said it who may not."""
    await here.settled(after=1, said=said)
    runs = [run for run in await here.runs("command") if run.message == said]
    return sum(run.status is RunStatus.REFUSED and run.error_type == "forbidden" for run in runs)


@asynccontextmanager
async def team(platform: str, home: Path, model: ModelServer, **more: str) -> AsyncIterator[Team]:
    """`more` are settings beside those that make it listen, in small letters."""
    calendar = Calendar()
    settings = {
        "RATCHET_HOME": str(home),
        "RATCHET_PORT": "0",
        "RATCHET_API_KEY": "key-of-the-test",
        "OPENAI_BASE_URL": model.url,
        "OPENAI_API_KEY": "none",
        "RATCHET_REPLAY_PAIRS": "0",
        **{f"RATCHET_{name.upper()}": value for name, value in more.items()},
    }
    opened = _on_slack if platform == "slack" else _on_telegram
    async with opened(settings, home, calendar, model) as made:
        yield made


@asynccontextmanager
async def _on_slack(
    settings: Mapping[str, str], home: Path, calendar: Calendar, model: ModelServer
) -> AsyncIterator[Team]:
    server = await SlackServer().start()
    server.members.add(ADMINS)
    here = _Here()
    slack = Workspace(server, here, clock=calendar)
    roles = {
        "RATCHET_OWNERS": "slack:U0OWNER",
        "RATCHET_APPROVERS": "slack:U0APPROVER",
        "RATCHET_ADMIN_CHANNEL": f"slack:{ADMINS}",
    }
    try:
        async with _opened({**settings, **roles, **slack.settings()}, home, calendar) as app:
            here.url = app.channels["web"].summary
            names = (OWNER, APPROVER, STRANGER, *MEMBERS)
            guest = {STRANGER: {"is_stranger": True}}
            people = {
                name: OnSlack(slack.person(f"U0{name.upper()}", name, **guest.get(name, {})))
                for name in names
            }
            yield Team(app, calendar, model, people)
    finally:
        await server.stop()


@asynccontextmanager
async def _on_telegram(
    settings: Mapping[str, str], home: Path, calendar: Calendar, model: ModelServer
) -> AsyncIterator[Team]:
    server = TelegramServer(now=calendar.now() // 1000)
    await server.start()
    number = {name: n for n, name in enumerate((OWNER, APPROVER, STRANGER, *MEMBERS), 7)}
    roles = {
        "RATCHET_OWNERS": f"telegram:{number[OWNER]}",
        "RATCHET_APPROVERS": f"telegram:{number[APPROVER]}",
        "RATCHET_ADMIN_CHANNEL": f"telegram:{number[OWNER]}",
    }
    try:
        listening = telegram_people.settings(server)
        async with _opened({**settings, **roles, **listening}, home, calendar) as app:
            people = {name: OnTelegram(Phone(server, user)) for name, user in number.items()}
            for name in (OWNER, APPROVER):  # nobody is written to who never wrote
                await people[name].says("/start")
            yield Team(app, calendar, model, people, server)
    finally:
        await server.stop()


@dataclass
class _Here:
    url: str = ""


@asynccontextmanager
async def _opened(environ: Mapping[str, str], home: Path, calendar: Calendar) -> AsyncIterator[App]:
    home.mkdir(parents=True, exist_ok=True)
    async with open_app(load(environ, home), clock=calendar) as app:
        await app.settled()
        for job in SCHEDULE:  # they work when the story says so
            await app.services.jobs.pause(HOME, job, True)
        yield app
