"""Digests by themselves: at their hour, once, to those who still may have them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.clock import SystemIds
from bot.config import load
from bot.events import Events
from bot.model.delivery import Delivery
from bot.model.message import Reply
from bot.model.person import Role
from bot.model.subscription import Subscription, last_due, next_due
from bot.post import OutboxPost
from bot.reach import Reach
from bot.services import Services
from jobs.digest import work
from storage.engine import Database
from storage.journal import RunJournal
from storage.outbox import OutboxStore
from storage.tables import outbox
from tests import databases
from tests.commands.stage import WORKSPACE, Stage, stage
from tests.conftest import HeldClock

HOUR = 3_600
IN_DM: dict[str, Any] = {"channel": "slack", "address": {"channel": "D9", "user": "U7"}}
IN_CHANNEL: dict[str, Any] = {"channel": "slack", "address": {"channel": "C1", "user": "U8"}}


@pytest.fixture
async def on(clock: HeldClock, tmp_path: Path) -> AsyncIterator[Stage]:
    db = databases.on_sqlite(tmp_path)
    made = await stage(db, clock, tmp_path)
    await know(made)
    yield made
    await made.services.memory.close()
    await db.close()


@pytest.fixture
async def on_each(db: Database, clock: HeldClock, tmp_path: Path) -> AsyncIterator[Stage]:
    made = await stage(db, clock, tmp_path)
    await know(made)
    yield made
    await made.services.memory.close()


async def know(on: Stage) -> None:
    for who, external_id in (("member", "U7"), ("approver", "U8")):
        await on.services.people.link(WORKSPACE, "slack", external_id, on.people[who].id)


async def only(on: Stage, who: str = "member") -> Subscription:
    [one] = await on.services.subscriptions.of_person(WORKSPACE, on.people[who].id)
    return one


async def until_due(on: Stage, who: str = "member", late: float = 60) -> None:
    due = next_due(await only(on, who), on.clock.now())
    on.clock.advance((due - on.clock.now()) / 1000 + late)


async def tick(on: Stage) -> str:
    return await work(on.services, WORKSPACE, "job-run")


def sent(on: Stage) -> list[tuple[str, Reply]]:
    return [(str(address), reply) for _, address, reply in on.post.placed.values()]


async def test_it_comes_at_its_hour_and_once(on: Stage) -> None:
    await on.say("member", "/digest daily at 9 zone Europe/Berlin", **IN_DM)
    await on.asked("Q", "x")
    assert await tick(on) == "0 digests sent"
    await until_due(on)
    assert await tick(on) == "1 digest sent"
    on.clock.advance(300)
    assert await tick(on) == "0 digests sent"
    [(address, reply)] = sent(on)
    assert address == "{'channel': 'U7'}"
    assert reply.text == "1 run." and not reply.private and reply.picture


async def test_when_nothing_happened_nothing_is_sent_unless_wanted(on: Stage) -> None:
    await on.say("member", "/digest daily", **IN_DM)
    await on.say("approver", "/digest daily here always", **IN_CHANNEL)
    for _ in range(2):
        await until_due(on)
        assert await tick(on) == "1 digest sent"
    assert [(a, r.text) for a, r in sent(on)] == [
        ("{'channel': 'C1'}", "Nothing happened in the last day.")
    ] * 2
    await on.asked("Q", "x")
    await until_due(on)
    assert await tick(on) == "2 digests sent"


async def test_after_a_while_down_it_comes_late_once_and_not_too_late(on: Stage) -> None:
    await on.say("member", "/digest daily always", **IN_DM)
    await until_due(on, late=2 * 24 * HOUR + 11.9 * HOUR)
    assert await tick(on) == "1 digest sent"
    assert await tick(on) == "0 digests sent"
    await until_due(on, late=12.1 * HOUR)
    assert await tick(on) == "0 digests sent"
    await until_due(on)
    assert await tick(on) == "1 digest sent"


@pytest.mark.parametrize(
    ("lost", "goes"),
    [("role", False), ("own role", False), ("link", False), ("consent", False), ("", True)],
)
async def test_who_may_not_have_it_any_more_gets_none(on: Stage, lost: str, goes: bool) -> None:
    who = "approver" if lost == "role" else "member"
    here = ("here", IN_CHANNEL) if lost == "role" else ("me", IN_DM)
    await on.say(who, f"/digest daily always {here[0]}", **here[1])
    people, person = on.services.people, on.people[who].id
    match lost:
        case "role":
            await people.set_role(WORKSPACE, person, Role.MEMBER)
        case "own role":
            await people.set_role(WORKSPACE, person, Role.GUEST)
        case "link":
            await people.link(WORKSPACE, "slack", "U7", on.people["other"].id)
        case "consent":
            await on.services.contacts.set_consent(
                WORKSPACE, "slack", "U7", "out", on.clock.now(), "stop"
            )
    await until_due(on, who)
    assert await tick(on) == f"{int(goes)} digest{'' if goes else 's'} sent"
    assert len(sent(on)) == goes


async def test_whatsapp_needs_consent_that_still_holds(on: Stage) -> None:
    await on.services.people.link(WORKSPACE, "whatsapp", "1555", on.people["other"].id)
    chat: dict[str, Any] = {
        "channel": "whatsapp",
        "address": {"to": "1555", "wa_id": "1555", "user_id": ""},
    }
    await on.say("other", "/digest daily always", **chat)
    await until_due(on, "other")
    assert await tick(on) == "1 digest sent"
    await on.services.contacts.set_consent(
        WORKSPACE, "whatsapp", "1555", "out", on.clock.now(), "stop"
    )
    await until_due(on, "other")
    assert await tick(on) == "0 digests sent"
    assert len(sent(on)) == 1


async def test_an_address_that_refuses_us_is_told_once_to_the_owner(on: Stage) -> None:
    await on.say("member", "/digest daily always", **IN_DM)
    await on.services.contacts.disable(WORKSPACE, "slack", "U7", on.clock.now(), "blocked")
    for _ in range(3):
        await until_due(on)
        assert await tick(on) == "0 digests sent"
    [notice] = on.post.posted.values()
    assert notice.card and "is not sent to slack U7 any more: blocked." in notice.card.body
    on.clock.advance(1)
    await on.services.contacts.heard(WORKSPACE, "slack", "U7", on.clock.now(), {"channel": "U7"})
    await until_due(on)
    assert await tick(on) == "1 digest sent"


async def test_what_is_due_while_its_channel_is_off_waits_for_it(on: Stage) -> None:
    await on.say("member", "/digest daily always", **IN_DM)
    on.post.off.add("slack")
    await until_due(on)
    assert await tick(on) == "0 digests sent"
    on.post.off.clear()
    on.clock.advance(HOUR)
    assert await tick(on) == "1 digest sent"


async def test_one_that_breaks_harms_no_other(on: Stage) -> None:
    await on.say("member", "/digest daily always", **IN_DM)
    await on.say("approver", "/digest daily always", **IN_CHANNEL)
    await until_due(on)
    one = await only(on)
    await on.services.subscriptions.put(replace(one, hour=77))  # as no command would
    with pytest.raises(ValueError, match="hour"):
        await tick(on)
    assert [address for address, _ in sent(on)] == ["{'channel': 'U8'}"]


async def test_other_workspaces_are_others(on: Stage) -> None:
    await on.say("member", "/digest daily always", **IN_DM)
    await until_due(on)
    assert await work(on.services, "slack:T2", "job-run") == "0 digests sent"


async def test_two_nodes_and_a_crash_send_one(on_each: Stage) -> None:
    on = on_each
    await on.say("member", "/digest daily always", **IN_DM)
    await until_due(on)
    before = await only(on)
    async with node(on, "n1") as first, node(on, "n2") as second:
        said = await asyncio.gather(*(work(s, WORKSPACE, "r") for s in (first, second)))
        assert "1 digest sent" in said
        # As if it had been cut off before it was settled.
        await on.services.subscriptions.end(before)
        await on.services.subscriptions.put(before)
        await work(first, WORKSPACE, "r")
        async with on.db.read() as conn:
            rows = (await conn.execute(select(outbox.c.channel, outbox.c.status))).all()
    assert [tuple(row) for row in rows] == [("slack", "queued")]
    assert (await only(on)).sent_at == last_due(before, on.clock.now())


@asynccontextmanager
async def node(on: Stage, name: str) -> AsyncIterator[Services]:
    """The services of one more node on the same database, with a real outbox."""
    journal = RunJournal(on.db)
    journal.start()

    def leaving(deliveries: Sequence[Delivery]) -> None:
        return None

    people, contacts = on.services.people, on.services.contacts
    active = {"slack"}.__contains__
    post = OutboxPost(
        Reach(load({}), "local", people, contacts, active, on.services.installations),
        OutboxStore(on.db, journal),
        Events(),
        on.clock,
        SystemIds(),
        lambda: name,
        active,
        leaving,
    )
    yield replace(on.services, post=post)
    await journal.close()
