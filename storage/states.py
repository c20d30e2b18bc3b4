"""What detectors know: a watermark and a state, moved together or not at all."""

from sqlalchemy import bindparam, select, update

from bot.ports.stores import State
from storage.constant import Constant, Row
from storage.engine import Database
from storage.tables import states as table
from storage.upsert import insert


class StateStore:
    def __init__(self, db: Database) -> None:
        self._db = db
        self._first = insert(db, table).on_conflict_do_nothing()

    async def get(self, workspace: str, name: str) -> State:
        rows = await self._db.rows(_GET, {"of": workspace, "called": name})
        return _state(rows[0]) if rows else State()

    async def since(self, workspace: str, name: str, revision: int) -> State | None:
        known = {"of": workspace, "called": name, "known": revision}
        rows = await self._db.rows(_SINCE, known)
        return _state(rows[0]) if rows else None

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
        moving = _MOVE if before.revision else self._first
        return bool(await self._db.change(moving, {**known, **values}))


_MINE = (table.c.workspace == bindparam("of"), table.c.name == bindparam("called"))
_SHOWN = select(table.c.watermark, table.c.state, table.c.revision).where(*_MINE)
_GET, _SINCE = Constant(_SHOWN), Constant(_SHOWN.where(table.c.revision != bindparam("known")))
_MOVE = (
    update(table)
    .where(*_MINE, table.c.revision == bindparam("known"))
    .values({name: bindparam(name) for name in ("watermark", "state", "revision", "updated_at")})
)


def _state(row: Row) -> State:
    return State(row["watermark"], row["state"] or {}, row["revision"])
