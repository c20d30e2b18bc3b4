"""A platform, the Ratchet behind it, and what people there and its owner see."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bot.model.delivery import Delivery, DeliveryStatus
from bot.model.run import CLOSED, Run
from storage.engine import Database, url_of
from storage.journal import RunJournal
from storage.outbox import OutboxStore
from storage.runs import RunStore
from tests.fakes.model_server import ModelServer
from tests.fakes.trouble import Troubles
from tests.stories.nodes import Node

Json = dict[str, Any]
_SETTLED_WITHIN = 30.0
_OVER = (DeliveryStatus.SENT, DeliveryStatus.FAILED)


@dataclass(frozen=True)
class Reckoning:
    """What became of one message."""

    runs: list[Run]
    delivery: Delivery
    seen: int
    told: list[str]

    @property
    def answered(self) -> bool:
        """One run, one answer that people see, and nothing for the owner to worry about."""
        sent = self.delivery.status is DeliveryStatus.SENT
        return len(self.runs) == 1 and sent and self.seen == 1 and not self.told

    @property
    def failed_and_told(self) -> bool:
        """One run, no answer or one of which nobody can know, and the owner knows that."""
        failed = self.delivery.status is DeliveryStatus.FAILED and bool(self.delivery.error)
        return len(self.runs) == 1 and failed and self.seen <= 1 and len(self.told) == 1


class Platform(ABC):
    """`can_look`: the platform can be asked what it shows. `pulled`: it is asked for what is new,
    and says again by itself what nobody confirmed."""

    name: str
    can_look = True
    pulled = False
    trouble: Troubles

    def __init__(self) -> None:
        self.model = ModelServer()

    async def open(self, home: Path) -> None:
        await self.model.start()
        await self.start()
        settings = {
            "RATCHET_LEASE_SECONDS": "1.5",
            "OPENAI_BASE_URL": self.model.url,
            "OPENAI_API_KEY": "none",
        }
        self.node = Node(home, settings)
        self.node.set(self.settings())
        await self.node.start()
        self._db = Database(url_of("", home))
        self._runs = RunStore(self._db)
        self._outbox = OutboxStore(self._db, RunJournal(self._db))

    async def close(self) -> None:
        await self._db.close()
        await self.node.kill()
        await self.stop()
        await self.model.stop()

    @abstractmethod
    async def start(self) -> None:
        """The fakes."""

    @abstractmethod
    async def stop(self) -> None: ...

    @abstractmethod
    def settings(self) -> Mapping[str, str]: ...

    @abstractmethod
    def event(self, words: str) -> Json:
        """What the platform sends when a person says these words."""

    @abstractmethod
    async def deliver(self, event: Json) -> None:
        """Returns once it is acknowledged."""

    @abstractmethod
    async def deliver_unheard(self, event: Json) -> None:
        """Delivers it, and never hears the acknowledgement."""

    async def hang_up(self) -> None:
        """Breaks the connection over which events come."""
        raise NotImplementedError(f"{self.name} holds no connection")

    @abstractmethod
    def seen(self, words: str) -> int:
        """In how many of the bot's messages people can read the words."""

    @abstractmethod
    def told(self) -> list[str]:
        """What the owner was told."""

    def asking(self, number: int) -> tuple[str, str]:
        """What a person says, and the last word of the answer, which is nowhere else."""
        word = f"word{number}"
        return f"Please repeat {word}", word

    async def settled(self, said: str, word: str, told: int) -> Reckoning:
        """Once the answer has left or failed; `told` is what the owner knew before."""
        async with asyncio.timeout(_SETTLED_WITHIN):
            while (delivery := await self._delivery(said)) is None:
                await asyncio.sleep(0.03)
            if delivery.status is DeliveryStatus.FAILED:
                while len(self.told()) <= told:
                    await asyncio.sleep(0.03)
        await asyncio.sleep(0.3)  # what would come twice gets the time to
        delivery = await self._delivery(said) or delivery
        return Reckoning(await self._of(said), delivery, self.seen(word), self.told()[told:])

    async def _of(self, said: str) -> list[Run]:
        kinds = ("request", "command")
        return [
            r for r in await self._runs.recent("local", kinds=kinds, limit=500) if said in r.message
        ]

    async def _delivery(self, said: str) -> Delivery | None:
        for run in await self._of(said):
            if run.status in CLOSED:
                found = await self._outbox.get("local", run.id)
                if found and found.status in _OVER:
                    return found
        return None


async def post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.post(url, content=body, headers=dict(headers))
    assert answer.status_code == 200, answer.text


async def post_unheard(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Sends it whole and hangs up before the answer."""
    found = httpx.URL(url)
    _, writer = await asyncio.open_connection(found.host, found.port)
    lines = [f"POST {found.path} HTTP/1.1", f"Host: {found.host}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)
    await writer.drain()
    writer.close()
    await writer.wait_closed()
