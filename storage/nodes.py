"""Leases: which node is alive, and who takes over what a dead one left."""

from typing import Any

from sqlalchemy import Connection, Select, and_, insert, or_, select, update

from bot.model.delivery import Delivery
from bot.model.run import Run
from storage.engine import Database
from storage.rows import to_delivery, to_run
from storage.tables import nodes, outbox, runs

_TAKEN = ("queued", "sending")


class NodeStore:
    """Plumbing of the installation: leases belong to processes, not to workspaces."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def register(
        self, node: str, *, host: str, pid: int, now: int, lease_until: int, version: str
    ) -> None:
        async with self._db.write() as conn:
            await conn.execute(
                insert(nodes).values(
                    id=node,
                    host=host,
                    pid=pid,
                    started_at=now,
                    lease_until=lease_until,
                    version=version,
                )
            )

    async def renew(self, node: str, lease_until: int) -> bool:
        """False once another node has taken over: this one must not write any more."""
        async with self._db.write() as conn:
            result = await conn.execute(
                update(nodes)
                .where(nodes.c.id == node, nodes.c.reaped_by == "")
                .values(lease_until=lease_until)
            )
            return result.rowcount == 1

    async def release(self, node: str) -> None:
        """A clean stop: what is left may be taken over at once."""
        async with self._db.write() as conn:
            await conn.execute(update(nodes).where(nodes.c.id == node).values(lease_until=0))

    async def end_others(self, node: str) -> None:
        """Where one process holds the data, every other node is dead."""
        async with self._db.write() as conn:
            await conn.execute(update(nodes).where(nodes.c.id != node).values(lease_until=0))

    async def reap(self, node: str, now: int) -> list[str]:
        """Declares nodes with a lapsed lease dead, by compare-and-set; returns those that this
        call won."""
        async with self._db.write() as conn:
            result = await conn.execute(
                update(nodes)
                .where(nodes.c.lease_until < now, nodes.c.id != node, nodes.c.reaped_by == "")
                .values(reaped_by=node)
                .returning(nodes.c.id)
            )
            return [row.id for row in result]

    async def claim_runs(self, node: str, limit: int) -> list[Run]:
        """Takes open runs of dead nodes, oldest first, raising their attempt."""

        def work(conn: Connection) -> list[Run]:
            taken = (
                conn.execute(
                    _orphans(conn, runs, select(runs.c.id), ("queued", "running"))
                    .order_by(runs.c.id)
                    .limit(limit)
                )
                .scalars()
                .all()
            )
            if not taken:
                return []
            claimed = conn.execute(
                update(runs)
                .where(runs.c.id.in_(taken))
                .values(node=node, attempt=runs.c.attempt + 1)
                .returning(runs)
            )
            return sorted((to_run(row) for row in claimed.mappings()), key=lambda run: run.id)

        return await self._db.transact(work)

    async def claim_deliveries(self, node: str, limit: int) -> list[Delivery]:
        """Takes what dead nodes had still to send, oldest first."""

        def work(conn: Connection) -> list[Delivery]:
            taken = (
                conn.execute(
                    _orphans(conn, outbox, select(outbox.c.id), _TAKEN)
                    .order_by(outbox.c.id)
                    .limit(limit)
                )
                .scalars()
                .all()
            )
            if not taken:
                return []
            claimed = conn.execute(
                update(outbox).where(outbox.c.id.in_(taken)).values(node=node).returning(outbox)
            )
            return sorted((to_delivery(row) for row in claimed.mappings()), key=lambda d: d.id)

        return await self._db.transact(work)

    async def standing(self) -> set[str]:
        """Nodes that nobody has declared dead."""
        query = select(nodes.c.id).where(nodes.c.reaped_by == "")
        async with self._db.read() as conn:
            return set((await conn.execute(query)).scalars())

    async def living(self, now: int) -> int:
        """How many nodes hold a lease."""
        query = select(nodes.c.id).where(nodes.c.lease_until >= now, nodes.c.reaped_by == "")
        async with self._db.read() as conn:
            return len((await conn.execute(query)).all())


def _orphans(conn: Connection, table: Any, query: Select[Any], statuses: tuple[str, ...]) -> Any:
    dead = select(nodes.c.id).where(or_(nodes.c.reaped_by != "", nodes.c.lease_until == 0))
    query = query.where(and_(table.c.status.in_(statuses), table.c.node.in_(dead)))
    # Two living nodes that claim at once take different rows instead of waiting for each other.
    return query.with_for_update(skip_locked=True) if conn.dialect.name == "postgresql" else query
