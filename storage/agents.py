"""Agents: immutable versions, and one pointer each to the current one."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import Conflict, NotFound
from bot.model.agent import AgentVersion, from_spec
from bot.ports.clock import Clock
from bot.ports.stores import Made
from storage.constant import Row
from storage.engine import Database
from storage.tables import agent_versions as versions
from storage.tables import agents
from storage.upsert import hold, insert

SEED = "seed"
_KNOWN = 1000


class AgentStore:
    def __init__(self, db: Database, clock: Clock) -> None:
        self._db, self._clock = db, clock
        self._current: dict[str, list[AgentVersion]] = {}
        self._versions: OrderedDict[tuple[str, str, int], AgentVersion] = OrderedDict()
        self._changes = 0

    async def seed(self, workspace: str, roster: Sequence[AgentVersion]) -> None:
        async with self._db.write() as conn:
            for version in sorted(roster, key=lambda v: v.name):
                await self._seed(conn, workspace, version)
        self._forget(workspace)

    async def _seed(self, conn: AsyncConnection, workspace: str, seed: AgentVersion) -> None:
        await hold(self._db, conn, "agent", workspace, seed.name)
        known = select(versions.c.version).where(
            versions.c.workspace == workspace,
            versions.c.agent == seed.name,
            versions.c.source == SEED,
            versions.c.digest == seed.digest(),
        )
        retired = await self._retired(conn, workspace, seed.name)
        number = (await conn.execute(known.order_by(versions.c.version.desc()))).scalar()
        if number is None:
            number = await self._add(conn, workspace, seed, SEED, base=0)
        if retired:
            return
        await conn.execute(
            insert(self._db, agents)
            .values(
                workspace=workspace,
                name=seed.name,
                version=number,
                source=SEED,
                updated_at=self._clock.now(),
            )
            .on_conflict_do_nothing()
        )
        await conn.execute(
            update(agents)
            .where(
                agents.c.workspace == workspace,
                agents.c.name == seed.name,
                agents.c.source == SEED,
                agents.c.version != number,
            )
            .values(version=number, updated_at=self._clock.now())
        )

    async def _retired(self, conn: AsyncConnection, workspace: str, name: str) -> bool:
        """Whether it was seeded once, and then taken out of the roster: it doesn't come back by
        itself."""
        pointed = select(agents.c.version).where(
            agents.c.workspace == workspace, agents.c.name == name
        )
        seeded = select(versions.c.version).where(
            versions.c.workspace == workspace,
            versions.c.agent == name,
            versions.c.source == SEED,
        )
        if (await conn.execute(pointed)).first() is not None:
            return False
        return (await conn.execute(seeded.limit(1))).first() is not None

    async def current(self, workspace: str) -> list[AgentVersion]:
        """One per agent, by name."""
        if (known := self._current.get(workspace)) is not None:
            return list(known)
        before = self._changes
        query = (
            select(versions)
            .join(
                agents,
                (agents.c.workspace == versions.c.workspace)
                & (agents.c.name == versions.c.agent)
                & (agents.c.version == versions.c.version),
            )
            .where(agents.c.workspace == workspace)
            .order_by(agents.c.name)
        )
        found = [_version(row) for row in await self._db.rows(query)]
        # SQLite has this one process, so only what is written here can change it.
        if self._db.sqlite and before == self._changes:
            self._current[workspace] = found
        return list(found)

    async def version(self, workspace: str, name: str, version: int) -> AgentVersion | None:
        """Versions never change: one that was read is known for good."""
        key = (workspace, name, version)
        if (known := self._versions.get(key)) is not None:
            self._versions.move_to_end(key)
            return known
        found = await self._read_version(*key)
        if found is not None:
            self._versions[key] = found
            if len(self._versions) > _KNOWN:
                self._versions.popitem(last=False)
        return found

    async def _read_version(self, workspace: str, name: str, version: int) -> AgentVersion | None:
        query = select(versions).where(
            versions.c.workspace == workspace,
            versions.c.agent == name,
            versions.c.version == version,
        )
        rows = await self._db.rows(query)
        return _version(rows[0]) if rows else None

    async def made_by(
        self, workspace: str, name: str, source: str
    ) -> tuple[AgentVersion, int] | None:
        """The newest version that `source` deployed, and the version it was based on."""
        query = (
            select(versions)
            .where(
                versions.c.workspace == workspace,
                versions.c.agent == name,
                versions.c.source == source,
            )
            .order_by(versions.c.version.desc())
            .limit(1)
        )
        rows = await self._db.rows(query)
        return (_version(rows[0]), rows[0]["base"]) if rows else None

    async def add(
        self, workspace: str, candidate: AgentVersion, *, base: int, source: str
    ) -> AgentVersion:
        async with self._db.write() as conn:
            await hold(self._db, conn, "agent", workspace, candidate.name)
            number = (await conn.execute(_same(workspace, candidate, source))).scalar()
            if number is None:
                number = await self._add(conn, workspace, candidate, source, base)
        return replace(candidate, version=number)

    async def retire(self, workspace: str, name: str, *, base: int) -> None:
        leaving = delete(agents).where(
            agents.c.workspace == workspace, agents.c.name == name, agents.c.version == base
        )
        async with self._db.write() as conn:
            await hold(self._db, conn, "agent", workspace, name)
            await self._must_be_current(conn, workspace, name, base)
            await conn.execute(leaving)
        self._forget(workspace)

    async def history(self, workspace: str, name: str) -> Sequence[Made]:
        query = (
            select(versions)
            .where(versions.c.workspace == workspace, versions.c.agent == name)
            .order_by(versions.c.version)
        )
        return [
            Made(_version(row), row["base"], row["source"], row["created_at"])
            for row in await self._db.rows(query)
        ]

    async def deploy(
        self, workspace: str, candidate: AgentVersion, *, base: int, source: str
    ) -> AgentVersion:
        name = candidate.name
        same = _same(workspace, candidate, source)
        async with self._db.write() as conn:
            await hold(self._db, conn, "agent", workspace, name)
            if (made := (await conn.execute(same)).scalar()) is not None:
                return replace(candidate, version=made)
            await self._must_be_current(conn, workspace, name, base)
            number = await self._add(conn, workspace, candidate, source, base)
            await self._point(conn, workspace, name, number, source)
        self._forget(workspace)
        return replace(candidate, version=number)

    async def point(self, workspace: str, name: str, version: int, *, base: int) -> None:
        async with self._db.write() as conn:
            await hold(self._db, conn, "agent", workspace, name)
            source = await self._source(conn, workspace, name, version)
            await self._must_be_current(conn, workspace, name, base)
            await self._point(conn, workspace, name, version, source)
        self._forget(workspace)

    async def swap(
        self, workspace: str, base: Mapping[str, int], overlay: Mapping[str, int]
    ) -> None:
        async with self._db.write() as conn:
            for name in sorted(overlay):  # the same order everywhere: nobody waits in a circle
                await hold(self._db, conn, "agent", workspace, name)
            for name, version in overlay.items():
                await self._swap(conn, workspace, name, base.get(name, 0), version)
        self._forget(workspace)

    async def _swap(
        self, conn: AsyncConnection, workspace: str, name: str, base: int, version: int
    ) -> None:
        mine = (agents.c.workspace == workspace, agents.c.name == name)
        now = (await conn.execute(select(agents.c.version).where(*mine))).scalar() or 0
        if now == version:
            return
        await self._must_be_current(conn, workspace, name, base)
        if not version:
            await conn.execute(delete(agents).where(*mine))
            return
        source = await self._source(conn, workspace, name, version)
        await self._point(conn, workspace, name, version, source)

    async def _source(self, conn: AsyncConnection, workspace: str, name: str, version: int) -> str:
        """What made a version. Raises NotFound."""
        target = select(versions.c.source).where(
            versions.c.workspace == workspace,
            versions.c.agent == name,
            versions.c.version == version,
        )
        source: str | None = (await conn.execute(target)).scalar()
        if source is None:
            raise NotFound(
                f"no version {version} of {name}", said=f"There is no {name} v{version}."
            )
        return source

    async def _must_be_current(
        self, conn: AsyncConnection, workspace: str, name: str, base: int
    ) -> None:
        query = select(agents.c.version).where(
            agents.c.workspace == workspace, agents.c.name == name
        )
        now = (await conn.execute(query)).scalar() or 0
        if now != base:
            raise Conflict(
                f"{name} is at v{now}, not v{base}",
                said=f"{name} has changed in the meantime (it is at v{now} now). Please try again.",
            )

    async def _add(
        self, conn: AsyncConnection, workspace: str, version: AgentVersion, source: str, base: int
    ) -> int:
        last = select(func.max(versions.c.version)).where(
            versions.c.workspace == workspace, versions.c.agent == version.name
        )
        number = int((await conn.execute(last)).scalar() or 0) + 1
        await conn.execute(
            versions.insert().values(
                workspace=workspace,
                agent=version.name,
                version=number,
                spec=version.spec(),
                digest=version.digest(),
                source=source,
                base=base,
                created_at=self._clock.now(),
            )
        )
        return number

    async def _point(
        self, conn: AsyncConnection, workspace: str, name: str, version: int, source: str
    ) -> None:
        values = {"version": version, "source": source, "updated_at": self._clock.now()}
        pointing = insert(self._db, agents).values(workspace=workspace, name=name, **values)
        await conn.execute(
            pointing.on_conflict_do_update(index_elements=["workspace", "name"], set_=values)
        )

    def _forget(self, workspace: str) -> None:
        self._changes += 1
        self._current.pop(workspace, None)


def _same(workspace: str, candidate: AgentVersion, source: str) -> Select[int]:
    return select(versions.c.version).where(
        versions.c.workspace == workspace,
        versions.c.agent == candidate.name,
        versions.c.source == source,
        versions.c.digest == candidate.digest(),
    )


def _version(row: Row) -> AgentVersion:
    return from_spec(row["agent"], row["version"], row["spec"])
