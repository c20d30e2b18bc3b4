"""People: met once, known by every identity, obeyed by their present role."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import text

from bot.clock import SystemIds
from bot.errors import NotFound
from bot.model.person import Role
from storage.engine import Database
from storage.people import PeopleStore
from tests.conftest import HeldClock


@pytest.fixture
def people(db: Database, clock: HeldClock, ids: SystemIds) -> PeopleStore:
    return PeopleStore(db, clock, ids)


async def test_a_first_meeting_makes_a_person_and_a_second_finds_them(people: PeopleStore) -> None:
    met = await people.resolve("w", "slack", "U1", "Owner", Role.OWNER)
    again = await people.resolve("w", "slack", "U1", "", Role.GUEST)
    assert met == again
    assert met.role is Role.OWNER
    assert await people.get("w", met.id) == met


async def test_many_first_meetings_at_once_make_one_person(
    db: Database, clock: HeldClock, ids: SystemIds
) -> None:
    nodes = [PeopleStore(db, clock, ids) for _ in range(6)]
    met = await asyncio.gather(*(n.resolve("w", "slack", "U1", "x", Role.MEMBER) for n in nodes))
    assert len({person.id for person in met}) == 1
    assert await nodes[0].with_role("w", Role.MEMBER) == [met[0]]


async def test_workspaces_and_channels_do_not_share_people(people: PeopleStore) -> None:
    here = await people.resolve("w", "slack", "1", "", Role.OWNER)
    there = await people.resolve("v", "slack", "1", "", Role.MEMBER)
    other = await people.resolve("w", "telegram", "1", "", Role.MEMBER)
    assert len({here.id, there.id, other.id}) == 3
    assert await people.get("v", here.id) is None


async def test_a_new_name_is_kept(people: PeopleStore) -> None:
    met = await people.resolve("w", "slack", "U1", "", Role.MEMBER)
    named = await people.resolve("w", "slack", "U1", "Member", Role.MEMBER)
    assert named == replace(met, name="Member")
    assert await people.get("w", met.id) == named


async def test_a_changed_role_counts_at_once_here_and_soon_on_another_node(
    db: Database, clock: HeldClock, ids: SystemIds
) -> None:
    here, there = PeopleStore(db, clock, ids), PeopleStore(db, clock, ids)
    met = await here.resolve("w", "slack", "U1", "", Role.OWNER)
    await there.resolve("w", "slack", "U1", "", Role.OWNER)
    await here.set_role("w", met.id, Role.GUEST)
    assert (await here.resolve("w", "slack", "U1", "", Role.OWNER)).role is Role.GUEST
    clock.advance(16)
    assert (await there.resolve("w", "slack", "U1", "", Role.OWNER)).role is Role.GUEST


async def test_a_linked_identity_is_the_same_person(people: PeopleStore) -> None:
    met = await people.resolve("w", "slack", "U1", "", Role.APPROVER)
    await people.resolve("w", "telegram", "7", "", Role.GUEST)
    await people.link("w", "telegram", "7", met.id)
    assert (await people.resolve("w", "telegram", "7", "", Role.GUEST)).id == met.id
    assert [(i.channel, i.external_id) for i in await people.identities("w", met.id)] == [
        ("slack", "U1"),
        ("telegram", "7"),
    ]
    assert await people.addresses("w", "telegram", Role.APPROVER) == [(met.id, "7")]
    assert await people.addresses("w", "telegram", Role.OWNER) == []
    assert await people.addresses("v", "telegram", Role.GUEST) == []


async def test_nobody_gets_no_role_and_no_identity(people: PeopleStore) -> None:
    with pytest.raises(NotFound):
        await people.set_role("w", "nobody", Role.OWNER)
    with pytest.raises(NotFound):
        await people.link("w", "slack", "U1", "nobody")


async def test_the_runs_of_one_person_are_found_without_a_look_at_all(db: Database) -> None:
    """Or a merge would hold up every message while it reads a million of them."""
    if db.sqlite:
        plan = (
            "EXPLAIN QUERY PLAN UPDATE runs SET person = 'b' WHERE workspace = 'w' AND person = 'a'"
        )
        wanted = "ix_runs_workspace_person (workspace=? AND person=?)"
    else:
        plan = "SELECT indexdef FROM pg_indexes WHERE tablename = 'runs'"
        wanted = "(workspace, person)"
    async with db.read() as conn:
        told = [str(row) for row in await conn.execute(text(plan))]
    assert any(wanted in line for line in told)
