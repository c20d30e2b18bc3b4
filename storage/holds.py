"""What may not change: the loop, an agent, a version."""

from collections.abc import Mapping

from sqlalchemy import delete, select

from bot.ports.stores import Hold
from storage.engine import Database
from storage.tables import holds as table
from storage.upsert import insert


class HoldStore:
    def __init__(self, db: Database) -> None:
        self._db = db
        self._known: dict[str, Mapping[str, Hold]] = {}
        self._changes = 0

    async def put(self, workspace: str, hold: Hold) -> bool:
        putting = insert(self._db, table).values(
            workspace=workspace,
            what=hold.what,
            by=hold.by,
            reason=hold.reason,
            created_at=hold.created_at,
        )
        async with self._db.write() as conn:
            new = bool((await conn.execute(putting.on_conflict_do_nothing())).rowcount)
        self._forget(workspace)
        return new

    async def lift(self, workspace: str, what: str) -> bool:
        lifting = delete(table).where(table.c.workspace == workspace, table.c.what == what)
        async with self._db.write() as conn:
            was = bool((await conn.execute(lifting)).rowcount)
        self._forget(workspace)
        return was

    async def all(self, workspace: str) -> Mapping[str, Hold]:
        if (known := self._known.get(workspace)) is not None:
            return known
        before = self._changes
        query = select(table).where(table.c.workspace == workspace)
        found = {
            row["what"]: Hold(row["what"], row["by"], row["reason"], row["created_at"])
            for row in await self._db.rows(query)
        }
        # SQLite has this one process, so only what is written here can change it.
        if self._db.sqlite and before == self._changes:
            self._known[workspace] = found
        return found

    def _forget(self, workspace: str) -> None:
        self._changes += 1
        self._known.pop(workspace, None)
