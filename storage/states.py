"""What detectors know: a watermark and a state, moved together or not at all."""

from sqlalchemy import bindparam, select, update

from bot.ports.stores import State
from storage.engine import Database
from storage.tables import states as table
from storage.upsert import insert


class StateStore:
    def __init__(self, db: Database) -> None:
        self._db = db
        self._first = insert(db, table).on_conflict_do_nothing()

    async def get(self, workspace: str, name: str) -> State:
        async with self._db.read() as conn:
            row = (await conn.execute(_GET, {"of": workspace, "called": name})).first()
        return State(row.watermark, row.state or {}, row.revision) if row else State()

    async def since(self, workspace: str, name: str, revision: int) -> State | None:
        known = {"of": workspace, "called": name, "known": revision}
        async with self._db.read() as conn:
            row = (await conn.execute(_SINCE, known)).first()
        return State(row.watermark, row.state or {}, row.revision) if row else None

    async def move(self, workspace: str, name: str, before: State, after: State, at: int) -> bool:
        values = {
            "watermark": after.watermark,
            "state": dict(after.state),
            "revision": before.revision + 1,
            "updated_at": at,
        }
        if before.revision:
            known = {"of": workspace, "called": name, "known": before.revision}
        else:
            known = {"workspace": workspace, "name": name}
        async with self._db.write() as conn:
            moving = _MOVE if before.revision else self._first
            return bool((await conn.execute(moving, {**known, **values})).rowcount)


_MINE = (table.c.workspace == bindparam("of"), table.c.name == bindparam("called"))
_GET = select(table.c.watermark, table.c.state, table.c.revision).where(*_MINE)
_SINCE = _GET.where(table.c.revision != bindparam("known"))
_MOVE = (
    update(table)
    .where(*_MINE, table.c.revision == bindparam("known"))
    .values({name: bindparam(name) for name in ("watermark", "state", "revision", "updated_at")})
)
