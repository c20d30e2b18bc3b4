"""A Telegram server, an inbox that records, and the channel between them."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import structlog

from bot.model.codec import reply_to_json
from bot.model.delivery import Delivery
from bot.model.message import Reply
from handlers.telegram.channel import TelegramChannel
from storage.contacts import ContactStore
from storage.drafts import DraftStore
from storage.journal import RunJournal
from tests import databases
from tests.conftest import HeldClock
from tests.fakes.inbox import RecordingInbox
from tests.fakes.telegram_server import TOKEN, TelegramServer

MakeChannel = Callable[..., TelegramChannel]


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    telegram = TelegramServer()
    await telegram.start()
    yield telegram
    await telegram.stop()


@pytest.fixture
def inbox() -> RecordingInbox:
    return RecordingInbox()


@pytest.fixture
async def make(
    server: TelegramServer, inbox: RecordingInbox, clock: HeldClock
) -> AsyncIterator[MakeChannel]:
    """Channels to the server, stopped at the end."""
    made: list[TelegramChannel] = []

    def channel(**over: object) -> TelegramChannel:
        settings: dict[str, object] = {
            "bot_token": TOKEN,
            "api_base": server.url,
            "webhook_secret": None,
            "inbox": inbox,
            "clock": clock,
            "commands": [("better", "Say what should be better."), ("save-workflow", "Keep it.")],
            "log": structlog.get_logger(),
            "pause": 0.01,
        }
        made.append(TelegramChannel(**(settings | over)))  # type: ignore[arg-type]
        return made[-1]

    yield channel
    for one in made:
        await one.stop()


@pytest.fixture
def channel(make: MakeChannel) -> TelegramChannel:
    return make()


def delivery(reply: Reply, chat: int = 7, **address: object) -> Delivery:
    return Delivery(
        "d1", "local", reply.run_id, "telegram", {"chat_id": chat, **address}, reply_to_json(reply)
    )


def editing(reply: Reply, ref: object) -> Delivery:
    return replace(delivery(reply), edits=ref)  # type: ignore[arg-type]


@dataclass
class Stores:
    """A database, and what the channel keeps in it."""

    contacts: ContactStore
    drafts: DraftStore


@pytest.fixture
async def stores(tmp_path: Path, clock: HeldClock) -> AsyncIterator[Stores]:
    db = databases.on_sqlite(tmp_path)
    journal = RunJournal(db)
    journal.start()
    yield Stores(ContactStore(db), DraftStore(db, journal, clock))
    await journal.close()
    await db.close()
