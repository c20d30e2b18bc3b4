"""What nobody asked for goes into the outbox, once each."""

from collections.abc import AsyncIterator, Sequence

import pytest

from bot.clock import SystemIds
from bot.config import load
from bot.events import Events
from bot.model.delivery import Delivery
from bot.model.message import Reply
from bot.post import OutboxPost
from storage.engine import Database
from storage.journal import RunJournal
from storage.outbox import OutboxStore
from storage.people import PeopleStore
from tests.conftest import HeldClock


class House:
    def __init__(self, db: Database, journal: RunJournal, clock: HeldClock) -> None:
        self.left: list[Delivery] = []
        ids = SystemIds()

        def leaving(deliveries: Sequence[Delivery]) -> None:
            self.left.extend(deliveries)

        self.post = OutboxPost(
            load({}),
            PeopleStore(db, clock, ids),
            OutboxStore(db, journal),
            Events(),
            clock,
            ids,
            lambda: "n1",
            {"slack", "telegram"}.__contains__,
            leaving,
        )

    async def to(
        self, channel: str, address: dict[str, object], key: str, space: str = "w"
    ) -> bool:
        return await self.post.to_place(space, channel, address, Reply("news"), key=key)


@pytest.fixture
async def house(db: Database, clock: HeldClock) -> AsyncIterator[House]:
    journal = RunJournal(db)
    journal.start()
    yield House(db, journal, clock)
    await journal.close()


async def test_the_same_key_is_one_message_in_a_place(house: House) -> None:
    for key, channel, space in (
        ("k1", "C1", "w"),
        ("k1", "C1", "w"),
        ("k1", "C2", "w"),
        ("k2", "C1", "w"),
        ("k1", "C1", "other"),
    ):
        assert await house.to("slack", {"channel": channel}, key, space)
    assert [(d.workspace, d.place) for d in house.left] == [
        ("w", "slack:C1"),
        ("w", "slack:C2"),
        ("w", "slack:C1"),
        ("other", "slack:C1"),
    ]


async def test_a_channel_that_is_off_gets_nothing(house: House) -> None:
    assert not await house.to("whatsapp", {"to": "1555"}, "k1")
    assert house.left == []
