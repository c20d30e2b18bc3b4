"""What nobody asked for goes into the outbox, once each."""

from collections.abc import AsyncIterator, Sequence

import pytest

from bot.clock import SystemIds
from bot.config import load
from bot.events import Events
from bot.model.contact import Consent
from bot.model.delivery import Delivery
from bot.model.installation import Installation
from bot.model.message import Reply
from bot.model.person import Role
from bot.places import Place, own_chat
from bot.post import OutboxPost
from bot.reach import Reach
from storage.contacts import ContactStore
from storage.engine import Database
from storage.installations import InstallationStore
from storage.journal import RunJournal
from storage.outbox import OutboxStore
from storage.people import PeopleStore
from storage.sealing import AesSeal
from tests.conftest import HeldClock

_ROOM = Place("slack", "C1", {"channel": "C1"}, own=False)


class House:
    def __init__(self, db: Database, journal: RunJournal, clock: HeldClock) -> None:
        self.left: list[Delivery] = []
        ids = SystemIds()
        self.installations = InstallationStore(db, AesSeal(["k" * 32], ids))

        def leaving(deliveries: Sequence[Delivery]) -> None:
            self.left.extend(deliveries)

        active = {"slack", "telegram"}.__contains__
        people = PeopleStore(db, clock, ids)
        self.post = OutboxPost(
            Reach(load({}), "local", people, ContactStore(db), active, self.installations),
            OutboxStore(db, journal),
            Events(),
            clock,
            ids,
            lambda: "n1",
            active,
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


async def test_a_card_is_one_message_in_each_place(house: House) -> None:
    places = [_ROOM, own_chat("telegram", "7")]
    for space in ("local", "local", "slack:T1"):
        await house.post.to_places(space, places, Reply("card"), key="proposal:1", card="P1")
    await house.post.to_places("local", [_ROOM], Reply("card"), key="proposal:1")
    assert [(d.workspace, d.place, d.card) for d in house.left] == [
        ("local", "slack:C1", "P1"),
        ("local", "telegram:7", "P1"),
        ("slack:T1", "slack:C1", "P1"),
        ("slack:T1", "telegram:7", "P1"),
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


class Town:
    """Who is known where, and what is said of them."""

    def __init__(self, db: Database, clock: HeldClock, admin: str = "") -> None:
        self.people = PeopleStore(db, clock, SystemIds())
        self.contacts = ContactStore(db)
        settings = load({"RATCHET_ADMIN_CHANNEL": admin})
        active = {"slack", "telegram", "whatsapp"}.__contains__
        installations = InstallationStore(db, None)
        self._reach = Reach(settings, "local", self.people, self.contacts, active, installations)

    async def meet(self, where: str, role: Role, space: str = "local") -> None:
        channel, _, name = where.partition(":")
        await self.people.resolve(space, channel, name, "", role)

    async def asked(self, where: str, space: str = "local") -> tuple[list[str], int]:
        found = await self._reach.places(space, where)
        return [f"{p.channel}:{p.name}" for p in found.open], found.shut

    async def admins(self, space: str = "local") -> list[str]:
        return [f"{p.channel}:{p.name}" for p in await self._reach.admins(space)]


async def test_approvers_are_asked_where_they_let_us(db: Database, clock: HeldClock) -> None:
    town = Town(db, clock)
    for where, role in (
        ("slack:U1", Role.OWNER),
        ("telegram:7", Role.APPROVER),
        ("telegram:8", Role.APPROVER),
        ("whatsapp:49", Role.APPROVER),
        ("slack:U9", Role.MEMBER),
        ("web:someone", Role.OWNER),
    ):
        await town.meet(where, role)
    assert await town.asked("approvers") == (["slack:U1", "telegram:7", "telegram:8"], 1)
    assert await town.asked("approvers@telegram") == (["telegram:7", "telegram:8"], 0)
    assert await town.asked("owners") == (["slack:U1"], 0)
    await town.contacts.disable("local", "telegram", "8", 5, "blocked")
    await town.contacts.set_consent("local", "whatsapp", "49", "in", 5, "start")
    assert await town.asked("approvers@telegram") == (["telegram:7"], 1)
    assert await town.asked("approvers@whatsapp") == (["whatsapp:49"], 0)
    said: tuple[Consent, ...] = ("paused", "out")
    for number, no in enumerate(said):
        await town.contacts.set_consent("local", "whatsapp", "49", no, 6 + number, "a word")
        assert await town.asked("approvers@whatsapp") == ([], 1)
    assert await town.asked("whatsapp:49") == ([], 1)
    assert await town.asked("slack:C5") == (["slack:C5"], 0)


async def test_warnings_go_to_the_admin_channel_or_else_to_an_owner(
    db: Database, clock: HeldClock
) -> None:
    town = Town(db, clock)
    assert await town.admins() == []
    await town.meet("slack:U1", Role.APPROVER)
    await town.meet("telegram:7", Role.OWNER)
    assert await town.admins() == ["telegram:7"]
    named = Town(db, clock, "slack:C0ADMIN, telegram:-100, console")
    assert await named.admins() == ["slack:C0ADMIN", "telegram:-100"]


async def test_nothing_of_another_workspace_comes_to_the_first_ones_places(
    db: Database, clock: HeldClock
) -> None:
    town = Town(db, clock, "slack:C0ADMIN")
    await town.meet("telegram:7", Role.OWNER)
    await town.meet("slack:U5", Role.OWNER, "slack:T2")
    assert await town.asked("admin", "slack:T2") == ([], 0)
    for where in ("telegram:7", "whatsapp:49"):
        assert await town.asked(where, "slack:T2") == ([], 0)
    assert await town.asked("approvers", "slack:T2") == (["slack:U5"], 0)
    assert await town.admins("slack:T2") == ["slack:U5"]
    assert await town.admins("slack:T3") == []
