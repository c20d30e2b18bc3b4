"""What nobody asked for goes into the outbox, once each."""

from collections.abc import AsyncIterator, Sequence

import pytest

from bot.clock import SystemIds
from bot.config import load
from bot.events import Events
from bot.model.delivery import Delivery
from bot.model.installation import Installation
from bot.model.message import Reply
from bot.post import OutboxPost
from storage.engine import Database
from storage.installations import InstallationStore
from storage.journal import RunJournal
from storage.outbox import OutboxStore
from storage.people import PeopleStore
from storage.sealing import AesSeal
from tests.conftest import HeldClock


class House:
    def __init__(self, db: Database, journal: RunJournal, clock: HeldClock) -> None:
        self.left: list[Delivery] = []
        ids = SystemIds()
        self.installations = InstallationStore(db, AesSeal(["k" * 32], ids))

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
            self.installations,
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


async def test_admins_of_another_workspace_are_whoever_installed_the_app(house: House) -> None:
    await house.post.to_admins("slack:T1", Reply("news"), key="n1")
    assert house.left == []
    installed = Installation("slack:T1", "slack", "T1", "One", "U0INSTALLER", 1)
    await house.installations.put("slack:T1", installed, "xoxb-1")
    await house.post.to_admins("slack:T1", Reply("news"), key="n2")
    await house.post.to_admins("slack:T2", Reply("news"), key="n3")
    assert [(d.workspace, d.address) for d in house.left] == [
        ("slack:T1", {"channel": "U0INSTALLER"})
    ]
    await house.installations.remove("slack:T1", 2)
    await house.post.to_admins("slack:T1", Reply("news"), key="n4")
    assert len(house.left) == 1
