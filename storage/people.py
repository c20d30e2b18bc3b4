"""People, their platform identities and their roles."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import RowMapping, Select, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import NotFound
from bot.model.person import Identity, Person, Role
from bot.ports.clock import Clock, Ids
from storage.engine import Database
from storage.tables import identities, people
from storage.upsert import insert

_BOUND = 10_000
# Another node may have changed a role: what this one remembers is believed for so long only.
_SECONDS = 15.0

_Key = tuple[str, str, str]


class PeopleStore:
    """Who is behind a platform id is asked for every message, so the answers are remembered."""

    def __init__(self, db: Database, clock: Clock, ids: Ids) -> None:
        self._db, self._clock, self._ids = db, clock, ids
        self._known: OrderedDict[_Key, tuple[Person, float]] = OrderedDict()

    async def resolve(
        self, workspace: str, channel: str, external_id: str, name: str, default: Role
    ) -> Person:
        key = (workspace, channel, external_id)
        known = self._known.get(key)
        if known and known[1] > self._clock.monotonic() and name in ("", known[0].name):
            self._known.move_to_end(key)
            return known[0]
        query = _who().where(
            identities.c.workspace == workspace,
            identities.c.channel == channel,
            identities.c.external_id == external_id,
        )
        async with self._db.read() as conn:
            row = (await conn.execute(query)).mappings().first()
        if row is None:
            person = await self._meet(workspace, channel, external_id, name, default)
        else:
            person = await self._renamed(_person(row), name)
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
            found = await conn.execute(
                _who().where(
                    identities.c.workspace == workspace,
                    identities.c.channel == channel,
                    identities.c.external_id == external_id,
                )
            )
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
        query = select(people).where(people.c.workspace == workspace, people.c.id == person)
        async with self._db.read() as conn:
            row = (await conn.execute(query)).mappings().first()
        return _person(row) if row else None

    async def with_role(self, workspace: str, role: Role) -> list[Person]:
        """Those whose role is exactly this one, first met first."""
        query = (
            select(people)
            .where(people.c.workspace == workspace, people.c.role == role.value)
            .order_by(people.c.created_at, people.c.id)
        )
        async with self._db.read() as conn:
            return [_person(row) for row in (await conn.execute(query)).mappings()]

    async def set_role(self, workspace: str, person: str, role: Role) -> None:
        changing = (
            update(people)
            .where(people.c.workspace == workspace, people.c.id == person)
            .values(role=role.value)
        )
        async with self._db.write() as conn:
            changed = (await conn.execute(changing)).rowcount
        self._known.clear()
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
        return [Identity(r["workspace"], r["channel"], r["external_id"], r["person"]) for r in rows]

    async def addresses(self, workspace: str, channel: str, role: Role) -> list[tuple[str, str]]:
        roles = [r.value for r in Role if r.may(role)]
        query = (
            select(identities.c.person, identities.c.external_id)
            .select_from(_JOINED)
            .where(
                identities.c.workspace == workspace,
                identities.c.channel == channel,
                people.c.role.in_(roles),
            )
            .order_by(identities.c.created_at, identities.c.external_id)
        )
        async with self._db.read() as conn:
            rows: Sequence[tuple[str, str]] = [
                (r.person, r.external_id) for r in await conn.execute(query)
            ]
        return list(rows)


_JOINED = identities.join(
    people, (people.c.workspace == identities.c.workspace) & (people.c.id == identities.c.person)
)


def _who() -> Select[tuple[str, ...]]:
    return select(people).select_from(_JOINED)


def _person(row: RowMapping) -> Person:
    return Person(row["id"], row["workspace"], row["name"], Role(row["role"]))
