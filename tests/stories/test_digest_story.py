"""A digest on a phone: asked for, due while the process was dead, sent once with its picture."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.clock import SystemClock
from tests.fakes.telegram_chats import Json
from tests.fakes.telegram_server import TelegramServer
from tests.stories.nodes import Node
from tests.stories.telegram_people import Phone, labels, settings

OWNER = 7
_EARLIER = (
    "UPDATE subscriptions SET created_at = created_at - 7200000",
    "UPDATE runs SET created_at = created_at - 7200000",
    "UPDATE proposals SET created_at = created_at - 7200000",
)


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramServer]:
    server = TelegramServer(now=SystemClock().now() // 1000)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
async def ratchet(telegram: TelegramServer, home: Path) -> AsyncIterator[Node]:
    owner = {"RATCHET_OWNERS": f"telegram:{OWNER}"}
    node = Node(home, settings(telegram) | owner)
    await node.start()
    yield node
    await node.stop()


def database(home: Path, statement: str) -> int:
    with sqlite3.connect(home / "ratchet.sqlite", timeout=10) as conn:
        row = conn.execute(statement).fetchone()
        return int(row[0]) if row else 0


async def run_job(ratchet: Node, home: Path) -> None:
    """Returns once it is over."""
    over = "SELECT COUNT(*) FROM runs WHERE message = 'digest' AND status = 'succeeded'"
    before = database(home, over)
    await ratchet.until_closed(await ratchet.ask("/jobs run digest"))
    async with asyncio.timeout(30):
        while database(home, over) == before:
            await asyncio.sleep(0.05)


def is_digest(message: Json) -> bool:
    return "Ratchet · the last day" in message.get("caption", "")


async def test_a_digest_comes_once(telegram: TelegramServer, ratchet: Node, home: Path) -> None:
    owner = Phone(telegram, OWNER)
    await owner.asks("In which unit do we state the length of a cable?")
    await owner.says("/better We state the length of a cable in metres", "Approve")
    now = datetime.fromtimestamp(SystemClock().now() / 1000, UTC)
    said = await owner.says(f"/digest daily at {now.hour} zone UTC")
    assert "to you on Telegram" in said["text"]
    assert labels(said) == ["Preview", "End it"]
    await run_job(ratchet, home)

    await ratchet.kill()
    # As if all of it had been two hours ago, and it had been down at the hour of the digest.
    for statement in _EARLIER:
        database(home, statement)
    await ratchet.start()
    await run_job(ratchet, home)
    await run_job(ratchet, home)
    digest = await owner.sees(is_digest)
    assert digest["photo"] and "1 proposal waits for approval" in digest["caption"]
    assert labels(digest) == ["Show P1"]
    assert len([m for m in telegram.shown(OWNER) if is_digest(m)]) == 1
    await owner.presses(digest, "Show P1")
    card = await owner.sees(lambda m: m["message_id"] > digest["message_id"])
    assert "Approve" in labels(card)
