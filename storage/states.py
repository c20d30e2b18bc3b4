"""What detectors know: a watermark and a state, moved together or not at all."""

from sqlalchemy import select, update

from bot.ports.stores import State
from storage.engine import Database
from storage.tables import states as table
from storage.upsert import insert


class StateStore:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def get(self, workspace: str, name: str) -> State:
        query = select(table).where(table.c.workspace == workspace, table.c.name == name)
        async with self._db.read() as conn:
            row = (await conn.execute(query)).mappings().first()
        return State(row["watermark"], row["state"] or {}, row["revision"]) if row else State()

    async def move(self, workspace: str, name: str, before: State, after: State, at: int) -> bool:
        values = {
            "watermark": after.watermark,
            "state": dict(after.state),
            "revision": before.revision + 1,
            "updated_at": at,
        }
        first = insert(self._db, table).values(workspace=workspace, name=name, **values)
        again = (
            update(table)
            .where(
                table.c.workspace == workspace,
                table.c.name == name,
                table.c.revision == before.revision,
            )
            .values(**values)
        )
        async with self._db.write() as conn:
            moving = again if before.revision else first.on_conflict_do_nothing()
            return bool((await conn.execute(moving)).rowcount)
