"""Messages, kills at random instants, and the reckoning: nothing lost, nothing done twice."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from bot.model.run import Run, RunKind, Step
from storage.engine import Database, url_of
from storage.runs import RunStore
from tests.fakes import slack_payloads
from tests.fakes.model_answers import Answer, Turn
from tests.fakes.model_server import ModelServer, asked
from tests.fakes.slack_server import SlackServer
from tests.stories.nodes import Node

SECRET = "signing-secret-of-the-test"
_ALL_ANSWERED_WITHIN = 120.0


@dataclass
class Reckoning:
    """What must all be empty or zero at the end."""

    kills: int
    messages: int
    lost: list[str] = field(default_factory=list)
    answered_twice: list[str] = field(default_factory=list)
    steps_repeated: list[str] = field(default_factory=list)
    calls_repeated: list[str] = field(default_factory=list)
    left_open: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not (
            self.lost
            or self.answered_twice
            or self.steps_repeated
            or self.calls_repeated
            or self.left_open
        )


class Killing:
    """Delivers `messages` mentions over signed HTTP as Slack does (again and again until it is
    acknowledged, now and then once more), while `kills` SIGKILLs hit the nodes."""

    def __init__(
        self, home: Path, database_url: str, nodes: int, messages: int, kills: int, seed: int
    ) -> None:
        self._home, self._database_url = home, database_url
        self._count, self._messages, self._kills = nodes, messages, kills
        self._chance = random.Random(seed)
        self._slack, self._model = SlackServer(), ModelServer(reply=_reply)
        self._begun, self._killed = round(time.time()), 0
        self._recorded: dict[tuple[str, int], int] = {}
        """Model calls of a text that had a result in the log when a node was dead, and how often
        that call had been made by then."""

    async def run(self) -> Reckoning:
        await self._slack.start()
        await self._model.start()
        nodes = [self._node(n) for n in range(self._count)]
        try:
            await asyncio.gather(*(node.start() for node in nodes))
            texts = [_text(n) for n in range(self._messages)]
            delivering = asyncio.create_task(self._deliver_all(nodes, texts))
            await self._kill_all(nodes)
            await delivering
            await self._until_answered(texts)
            return await self._reckon(texts)
        finally:
            await asyncio.gather(*(node.kill() for node in nodes))
            await self._model.stop()
            await self._slack.stop()

    def _node(self, number: int) -> Node:
        settings = {
            "RATCHET_DATABASE_URL": self._database_url,
            "RATCHET_LEASE_SECONDS": "1.5",
            # Every message was sent at the beginning: a long story must not find them too late.
            "RATCHET_MESSAGE_EXPIRY": "86400",
            "OPENAI_BASE_URL": self._model.url,
            "OPENAI_API_KEY": "none",
            "SLACK_BOT_TOKEN": self._slack.bot_token,
            "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_API_URL": self._slack.url,
        }
        if self._count > 1:
            # Memories play no part here; two processes may not share an embedded index.
            settings["QDRANT_URL"] = "http://127.0.0.1:9"
        return Node(self._home / f"node{number}", settings)

    async def _deliver_all(self, nodes: Sequence[Node], texts: Sequence[str]) -> None:
        async with httpx.AsyncClient(timeout=3.0) as client:
            pace = asyncio.Semaphore(8)

            async def deliver(number: int, text: str) -> None:
                async with pace:
                    await self._deliver(client, nodes, number, text)

            await asyncio.gather(*(deliver(n, text) for n, text in enumerate(texts)))

    async def _deliver(
        self, client: httpx.AsyncClient, nodes: Sequence[Node], number: int, text: str
    ) -> None:
        """Until it is acknowledged; one in five once more, as when an acknowledgement is lost.
        The messages are spread over the kills, so that each of them meets some on their way."""
        while self._killed < number * self._kills // self._messages:
            await asyncio.sleep(0.02)
        left = 1 + (self._chance.random() < 0.2)
        while left:
            await asyncio.sleep(self._chance.random() * 0.3)
            payload = slack_payloads.mention(text, ts=f"{self._begun}.{number:06}")
            body, kind = slack_payloads.encoded(payload)
            headers = slack_payloads.signed(SECRET, body, round(time.time()), kind)
            node = self._chance.choice(nodes)
            with suppress(httpx.TransportError):
                answer = await client.post(
                    f"{node.url}/slack/events", content=body, headers=headers
                )
                left -= answer.status_code == 200

    async def _kill_all(self, nodes: Sequence[Node]) -> None:
        while self._killed < self._kills:
            await asyncio.sleep(self._chance.random() * 0.5)
            node = self._chance.choice(nodes)
            await node.kill()
            self._killed += 1
            if len(nodes) == 1:
                await self._note_recorded()
            await node.start()

    async def _note_recorded(self) -> None:
        """With every node dead: which model calls have their result in the log."""
        db = Database(url_of(self._database_url, self._home / "node0"))
        made = Counter(_call(body) for body in self._model.chats)
        store = RunStore(db)
        for run in await _all_requests(store):
            results = [s for s in await store.steps("local", run.id) if _is_model(s)]
            for turn in range(len(results)):
                call = (run.message, turn)
                self._recorded.setdefault(call, made[call])
        await db.close()

    async def _until_answered(self, texts: Sequence[str]) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_ALL_ANSWERED_WITHIN):
                while len(self._answers()) < len(texts):
                    await asyncio.sleep(0.1)
        # Whatever would be sent twice gets the time to be.
        await asyncio.sleep(2.0)

    def _answers(self) -> Counter[str]:
        said = (str(message.get("text", "")) for message in self._slack.messages)
        found = (
            text.split("You said: ")[1].split("\n")[0] for text in said if "You said: " in text
        )
        return Counter(answer.split("|")[0].strip() for answer in found)

    async def _reckon(self, texts: Sequence[str]) -> Reckoning:
        answers = self._answers()
        db = Database(url_of(self._database_url, self._home / "node0"))
        store = RunStore(db)
        result = Reckoning(self._killed, len(texts))
        result.lost = [text for text in texts if not answers[text]]
        result.answered_twice = [text for text, times in answers.items() if times > 1]
        for run in await _all_requests(store):
            if not run.finished_at:
                result.left_open.append(run.id)
            done = [
                (s.kind, s.name) for s in await store.steps("local", run.id) if s.output is not None
            ]
            expected = 4 if "add" in run.message else 2
            if run.finished_at and len(done) != expected:
                result.steps_repeated.append(f"{run.message}: {done}")
        made = Counter(_call(body) for body in self._model.chats)
        result.calls_repeated = [
            f"{call}" for call, times in self._recorded.items() if made[call] != times
        ]
        await db.close()
        return result


def _text(number: int) -> str:
    """Every third message makes the model use a tool."""
    return f"add {number} and {number}" if number % 3 == 0 else f"hello number {number}"


def _reply(body: dict[str, object]) -> Turn:
    question = asked(body)
    messages = body["messages"]
    assert isinstance(messages, list)
    used = any(message["role"] == "tool" for message in messages)
    if question.startswith("add") and not used:
        number = question.split()[1]
        return Answer(tool_calls=(("calculator", f'{{"expression": "{number} + {number}"}}'),))
    return f"You said: {question} |"


def _call(body: dict[str, object]) -> tuple[str, int]:
    """(question, turn): the first call of a run is turn 0, the one with a tool's result 1."""
    messages = body["messages"]
    assert isinstance(messages, list)
    return asked(body), sum(message["role"] == "tool" for message in messages)


def _is_model(step: Step) -> bool:
    return step.kind.value == "model" and step.output is not None


async def _all_requests(store: RunStore) -> list[Run]:
    found = await store.recent("local", kinds=(RunKind.REQUEST.value,), limit=10_000)
    return [run for run in found if run.channel == "slack"]
