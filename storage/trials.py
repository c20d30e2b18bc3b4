"""Trials: numbered per workspace, moved by compare-and-set."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, bindparam, func, select, update

from bot.errors import Conflict
from bot.model.trial import ACTIVE, Trial, TrialStatus, legal
from storage.constant import Constant, Row
from storage.engine import Database
from storage.tables import trials as table
from storage.upsert import hold


class TrialStore:
    def __init__(self, db: Database) -> None:
        self._db = db
        self._running: dict[str, Sequence[Trial]] = {}
        self._changes = 0

    async def add(self, trial: Trial) -> tuple[Trial, bool]:
        mine = table.c.workspace == trial.workspace
        same = select(table).where(mine, table.c.proposal == trial.proposal)
        last = select(func.max(table.c.number)).where(mine)
        async with self._db.write() as conn:
            await hold(self._db, conn, "trials", trial.workspace)
            if row := (await conn.execute(same)).mappings().first():
                return _trial(row), False
            number = ((await conn.execute(last)).scalar() or 0) + 1
            await conn.execute(table.insert().values({**_row(trial), "number": number}))
            made = _trial((await conn.execute(same)).mappings().one())
        self._forget(trial.workspace)
        return made, True

    async def get(self, workspace: str, ref: str) -> Trial | None:
        digits = ref.strip().lower().removeprefix("t")
        if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
            return None
        found = await self._select(
            select(table).where(table.c.workspace == workspace, table.c.number == int(digits))
        )
        return found[0] if found else None

    async def of_proposal(self, workspace: str, proposal: str) -> Trial | None:
        found = await self._select(
            select(table).where(table.c.workspace == workspace, table.c.proposal == proposal)
        )
        return found[0] if found else None

    async def list(
        self, workspace: str, statuses: Sequence[TrialStatus] = (), limit: int = 50
    ) -> Sequence[Trial]:
        asked = {"of": workspace, "most": limit}
        if not statuses:
            return await self._select(_LIST, **asked)
        return await self._select(_LIST_OF, **asked, statuses=[s.value for s in statuses])

    async def running(self, workspace: str) -> Sequence[Trial]:
        if (known := self._running.get(workspace)) is not None:
            return known
        before = self._changes
        found = await self._select(
            select(table)
            .where(table.c.workspace == workspace, table.c.status == TrialStatus.RUNNING.value)
            .order_by(table.c.number)
        )
        # SQLite has this one process, so only what is written here can change it.
        if self._db.sqlite and before == self._changes:
            self._running[workspace] = found
        return found

    async def move(self, trial: Trial, to: TrialStatus) -> Trial:
        if not legal(trial.status, to):
            raise Conflict(
                f"{trial.ref}: {trial.status} may not become {to}",
                said=f"{trial.ref} is {trial.status.value.replace('_', ' ')}, "
                "so that can't be done with it.",
            )
        return await self._change(
            trial, {**_row(trial), "status": to.value}, table.c.status == trial.status.value
        )

    async def look(self, trial: Trial) -> Trial:
        values = {n: v for n, v in _row(trial).items() if n in _LOOKED}
        return await self._change(trial, values, table.c.status.in_([s.value for s in ACTIVE]))

    async def _change(self, trial: Trial, values: dict[str, Any], condition: Any) -> Trial:
        it = (table.c.workspace == trial.workspace, table.c.id == trial.id)
        values = {name: value for name, value in values.items() if name not in _FIXED}
        async with self._db.write() as conn:
            changed = await conn.execute(update(table).where(*it, condition).values(values))
            if not changed.rowcount:
                raise Conflict(
                    f"{trial.ref} is not {trial.status} any more",
                    said=f"Someone else was first: {trial.ref} has changed. Look at it once more.",
                )
            row = (await conn.execute(select(table).where(*it))).mappings().one()
        self._forget(trial.workspace)
        return _trial(row)

    async def _select(self, query: Constant | Select[Any], **given: object) -> Sequence[Trial]:
        return [_trial(row) for row in await self._db.rows(query, given)]

    def _forget(self, workspace: str) -> None:
        self._changes += 1
        self._running.pop(workspace, None)


_MINE = table.c.workspace == bindparam("of")
_NEWEST = select(table).where(_MINE).order_by(table.c.number.desc()).limit(bindparam("most"))
_LIST = Constant(_NEWEST)
_LIST_OF = Constant(_NEWEST.where(table.c.status.in_(bindparam("statuses", expanding=True))))

_FIXED = ("id", "workspace", "number", "proposal", "created_at")
_LOOKED = ("share", "numbers", "ends_at", "looked_at")


def _row(trial: Trial) -> dict[str, Any]:
    return {
        "id": trial.id,
        "workspace": trial.workspace,
        "number": trial.number,
        "proposal": trial.proposal,
        "title": trial.title,
        "overlay": dict(trial.overlay),
        "base": dict(trial.base),
        "status": trial.status.value,
        "mode": trial.mode,
        "share": trial.share,
        "margin": trial.margin,
        "caps": dict(trial.caps),
        "home": trial.home,
        "created_at": trial.created_at,
        "started_at": trial.started_at,
        "ends_at": trial.ends_at,
        "ended_at": trial.ended_at,
        "looked_at": trial.looked_at,
        "reason": trial.reason,
        "numbers": dict(trial.numbers),
    }


def _trial(row: Row) -> Trial:
    values = {**row, "status": TrialStatus(row["status"])}
    for name in ("overlay", "base", "caps", "numbers"):
        values[name] = row[name] or {}
    return Trial(**values)
