"""People, their platform identities and their roles."""

from collections import OrderedDict
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import Conflict, NotFound
from bot.model.person import Identity, Person, Role
from bot.ports.clock import Clock, Ids
from storage.constant import Constant, Row
from storage.engine import Database
from storage.merging import merge
from storage.tables import identities, people
from storage.upsert import hold, insert

_BOUND = 10_000
# Another node may have changed a role: what this one remembers is believed for so long only.
_SECONDS = 15.0

_Key = tuple[str, str, str]


class PeopleStore:
    """Who is behind a platform id is asked for every message, so the answers are remembered."""

    def __init__(self, db: Database, clock: Clock, ids: Ids) -> None:
        self._db, self._clock, self._ids = db, clock, ids
        self._known: OrderedDict[_Key, tuple[Person, float]] = OrderedDict()
        self._changes = 0

    async def resolve(
        self, workspace: str, channel: str, external_id: str, name: str, default: Role
    ) -> Person:
        key = (workspace, channel, external_id)
        known = self._known.get(key)
        if known and known[1] > self._clock.monotonic() and name in ("", known[0].name):
            self._known.move_to_end(key)
            return known[0]
        changes = self._changes
        asked = {"of": workspace, "on": channel, "as": external_id}
        rows = await self._db.rows(_KNOWN, asked)
        if rows:
            person = await self._renamed(_person(rows[0]), name)
        else:
            person = await self._meet(workspace, channel, external_id, name, default)
        if changes == self._changes:  # what was read before a change is not to outlive it
            self._remember(key, person)
        return person

    async def _meet(
        self, workspace: str, channel: str, external_id: str, name: str, default: Role
    ) -> Person:
        now, made = self._clock.now(), f"p{self._ids.token(8)}"
        identity = {
            "workspace": workspace,
            "channel": channel,
            "external_id": external_id,
            "person": made,
            "created_at": now,
        }
        person = {
            "workspace": workspace,
            "id": made,
            "name": name,
            "role": default.value,
            "created_at": now,
        }
        async with self._db.write() as conn:
            adding = insert(self._db, identities).values(identity).on_conflict_do_nothing()
            if (await conn.execute(adding)).rowcount:
                await conn.execute(people.insert().values(person))
            found = await conn.execute(_who().where(*_is(workspace, channel, external_id)))
            return _person(found.mappings().one())

    async def _renamed(self, person: Person, name: str) -> Person:
        if name in ("", person.name):
            return person
        async with self._db.write() as conn:
            await conn.execute(
                update(people)
                .where(people.c.workspace == person.workspace, people.c.id == person.id)
                .values(name=name)
            )
        return replace(person, name=name)

    def _remember(self, key: _Key, person: Person) -> None:
        self._known[key] = (person, self._clock.monotonic() + _SECONDS)
        self._known.move_to_end(key)
        while len(self._known) > _BOUND:
            self._known.popitem(last=False)

    async def get(self, workspace: str, person: str) -> Person | None:
        rows = await self._db.rows(_ONE, {"of": workspace, "who": person})
        if rows and rows[0]["merged_into"]:
            became = {"of": workspace, "who": rows[0]["merged_into"]}
            rows = await self._db.rows(_ONE, became)
        return _person(rows[0]) if rows else None

    async def with_role(self, workspace: str, role: Role) -> list[Person]:
        """Those whose role is exactly this one, first met first."""
        query = (
            select(people)
            .where(
                people.c.workspace == workspace,
                people.c.role == role.value,
                people.c.merged_into == "",
            )
            .order_by(people.c.created_at, people.c.id)
        )
        return [_person(row) for row in await self._db.rows(query)]

    async def set_role(self, workspace: str, person: str, role: Role) -> None:
        changing = (
            update(people)
            .where(people.c.workspace == workspace, people.c.id == person)
            .values(role=role.value)
        )
        async with self._db.write() as conn:
            changed = (await conn.execute(changing)).rowcount
        self._forget()
        if not changed:
            raise NotFound(f"no person {person}", said="I don't know that person.")

    async def link(self, workspace: str, channel: str, external_id: str, person: str) -> None:
        async with self._db.write() as conn:
            await self._must_exist(conn, workspace, person)
            identity = {
                "workspace": workspace,
                "channel": channel,
                "external_id": external_id,
                "person": person,
                "created_at": self._clock.now(),
            }
            await conn.execute(
                insert(self._db, identities)
                .values(identity)
                .on_conflict_do_update(
                    index_elements=["workspace", "channel", "external_id"],
                    set_={"person": person},
                )
            )
        self._forget()

    async def merge(self, workspace: str, old: str, into: str) -> tuple[Person, list[str]]:
        async with self._db.write() as conn:
            await hold(self._db, conn, "people", workspace)
            gone, stays = [await _living(conn, workspace, p) for p in (old, into)]
            if gone is None or stays is None:
                raise NotFound(f"no {old} or no {into}", said="I don't know that person any more.")
            rated: list[str] = []
            if gone["id"] != stays["id"]:
                rated = await merge(self._db, conn, workspace, gone["id"], stays["id"])
            person = await _living(conn, workspace, into) or stays
        self._forget()
        return _person(person), rated

    async def cut(self, workspace: str, channel: str, external_id: str, role: Role) -> Person:
        async with self._db.write() as conn:
            await hold(self._db, conn, "people", workspace)
            query = _who().where(*_is(workspace, channel, external_id))
            row = (await conn.execute(query)).mappings().first()
            if row is None:
                said = f"I know no identity {channel}:{external_id}."
                raise NotFound(f"no identity {channel}:{external_id}", said=said)
            mine = (identities.c.workspace == workspace, identities.c.person == row["id"])
            count = select(func.count()).select_from(identities).where(*mine)
            if ((await conn.execute(count)).scalar() or 0) < 2:
                said = f"{channel}:{external_id} is linked to nothing else."
                raise Conflict(f"the last identity of {row['id']}", said=said)
            made = f"p{self._ids.token(8)}"
            alone = {"id": made, "role": role.value, "created_at": self._clock.now()}
            await conn.execute(people.insert().values({**row, **alone}))
            await conn.execute(
                update(identities).where(*_is(workspace, channel, external_id)).values(person=made)
            )
        self._forget()
        return Person(made, workspace, row["name"], role)

    def _forget(self) -> None:
        self._changes += 1
        self._known.clear()

    async def _must_exist(self, conn: AsyncConnection, workspace: str, person: str) -> None:
        query = select(people.c.id).where(people.c.workspace == workspace, people.c.id == person)
        if (await conn.execute(query)).first() is None:
            raise NotFound(f"no person {person}", said="I don't know that person.")

    async def identities(self, workspace: str, person: str) -> list[Identity]:
        """First met first."""
        query = (
            select(identities)
            .where(identities.c.workspace == workspace, identities.c.person == person)
            .order_by(identities.c.created_at, identities.c.channel, identities.c.external_id)
        )
        async with self._db.read() as conn:
            rows = (await conn.execute(query)).mappings().all()
        return [_identity(row) for row in rows]

    async def linked(self, workspace: str) -> list[tuple[Person, list[Identity]]]:
        several = (
            select(identities.c.person)
            .where(identities.c.workspace == workspace)
            .group_by(identities.c.person)
            .having(func.count() > 1)
        )
        query = (
            select(identities, people.c.name, people.c.role, people.c.id)
            .select_from(_JOINED)
            .where(identities.c.workspace == workspace, identities.c.person.in_(several))
            .order_by(
                people.c.created_at,
                people.c.id,
                identities.c.created_at,
                identities.c.channel,
                identities.c.external_id,
            )
        )
        found: dict[str, tuple[Person, list[Identity]]] = {}
        async with self._db.read() as conn:
            for row in (await conn.execute(query)).mappings():
                found.setdefault(row["id"], (_person(row), []))[1].append(_identity(row))
        return list(found.values())

    async def addresses(self, workspace: str, channel: str, role: Role) -> list[tuple[str, str]]:
        roles = [r.value for r in Role if r.may(role)]
        asked = {"of": workspace, "on": channel, "roles": roles}
        rows = await self._db.rows(_ADDRESSES, asked)
        return [(row["person"], row["external_id"]) for row in rows]


_JOINED = identities.join(
    people, (people.c.workspace == identities.c.workspace) & (people.c.id == identities.c.person)
)


_ADDRESSES = Constant(
    select(identities.c.person, identities.c.external_id)
    .select_from(_JOINED)
    .where(
        identities.c.workspace == bindparam("of"),
        identities.c.channel == bindparam("on"),
        people.c.role.in_(bindparam("roles", expanding=True)),
    )
    .order_by(identities.c.created_at, identities.c.external_id)
)


def _who() -> Select[tuple[str, ...]]:
    return select(people).select_from(_JOINED)


def _is(workspace: Any, channel: Any, external_id: Any) -> tuple[ColumnElement[bool], ...]:
    c = identities.c
    return c.workspace == workspace, c.channel == channel, c.external_id == external_id


_KNOWN = Constant(_who().where(*_is(bindparam("of"), bindparam("on"), bindparam("as"))))
_ONE = Constant(
    select(people).where(people.c.workspace == bindparam("of"), people.c.id == bindparam("who"))
)


async def _living(conn: AsyncConnection, workspace: str, person: str) -> RowMapping | None:
    """The person of this id, or the one they became."""
    of = select(people).where(people.c.workspace == workspace)
    row = (await conn.execute(of.where(people.c.id == person))).mappings().first()
    if row is None or not row["merged_into"]:
        return row
    return (await conn.execute(of.where(people.c.id == row["merged_into"]))).mappings().first()


def _identity(row: Row) -> Identity:
    return Identity(row["workspace"], row["channel"], row["external_id"], row["person"])


def _person(row: Row) -> Person:
    return Person(row["id"], row["workspace"], row["name"], Role(row["role"]))
