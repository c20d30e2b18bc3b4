"""Runs and their steps, for reading; the journal writes them."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BindParameter, Select, bindparam, case, select, update

from bot.model.run import OPEN, Outcome, Run, RunKind, RunStatus, Step
from storage.constant import Constant
from storage.engine import Database
from storage.rows import to_run, to_step
from storage.tables import runs, steps

_MANY = 500  # values a statement
_OPEN = [status.value for status in OPEN]


class RunStore:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def get(self, workspace: str, run_id: str) -> Run | None:
        found = await self._select(_GET, of=workspace, called=run_id)
        return found[0] if found else None

    async def find(self, workspace: str, ref: str) -> Run | None:
        """By id or by its last 8 characters; the newest, should two end alike."""
        ref = ref.strip().lower()
        if len(ref) != 8:
            return await self.get(workspace, ref)
        found = await self._select(_FIND, of=workspace, called=ref)
        return found[0] if found else None

    async def by_event(self, workspace: str, channel: str, event_id: str) -> Run | None:
        found = await self._select(_BY_EVENT, of=workspace, on=channel, called=event_id)
        return found[0] if found else None

    async def steps(self, workspace: str, run_id: str) -> list[Step]:
        asked = {"of": workspace, "called": run_id}
        return [to_step(row) for row in await self._db.rows(_STEPS, asked)]

    async def recent(
        self, workspace: str, *, conversation: str = "", kinds: Sequence[str] = (), limit: int = 20
    ) -> list[Run]:
        """Newest first."""
        query = select(runs).where(runs.c.workspace == workspace)
        if conversation:
            query = query.where(runs.c.conversation == conversation).order_by(runs.c.id.desc())
        else:
            query = query.order_by(runs.c.created_at.desc(), runs.c.id.desc())
        if kinds:
            query = query.where(runs.c.kind.in_(kinds))
        return await self._select(query.limit(limit))

    async def history(
        self, workspace: str, conversation: str, limit: int, before: str = ""
    ) -> list[Run]:
        """The last answered requests of a conversation, oldest first."""
        query = select(runs).where(
            runs.c.workspace == workspace,
            runs.c.conversation == conversation,
            runs.c.kind == RunKind.REQUEST.value,
            runs.c.status == RunStatus.SUCCEEDED.value,
        )
        if before:
            query = query.where(runs.c.id < before)
        return (await self._select(query.order_by(runs.c.id.desc()).limit(limit)))[::-1]

    async def open_before(self, workspace: str, conversation: str, run_id: str) -> list[str]:
        """Ids of the conversation's earlier runs that are still open on another node."""
        mine = select(runs.c.node).where(runs.c.id == run_id).scalar_subquery()
        query = select(runs.c.id).where(
            runs.c.workspace == workspace,
            runs.c.conversation == conversation,
            runs.c.id < run_id,
            runs.c.status.in_(_OPEN),
            runs.c.node != mine,
        )
        async with self._db.read() as conn:
            return [row.id for row in await conn.execute(query)]

    async def between(
        self, workspace: str, since: int, until: int, *, agent: str = "", limit: int = 10_000
    ) -> list[Run]:
        query = select(runs).where(
            runs.c.workspace == workspace,
            runs.c.created_at >= since,
            runs.c.created_at < until,
        )
        if agent:
            query = query.where(runs.c.agent == agent)
        return await self._select(query.order_by(runs.c.created_at, runs.c.id).limit(limit))

    async def set_outcome(self, workspace: str, run_id: str, outcome: Outcome, at: int = 0) -> None:
        await self.set_outcomes(workspace, {run_id: outcome}, at)

    async def many(self, workspace: str, ids: Sequence[str]) -> dict[str, Run]:
        found: dict[str, Run] = {}
        for start in range(0, len(ids), _MANY):
            some = ids[start : start + _MANY]
            # By ids the primary key is the way: SQLite would take an index of the whole workspace.
            mine = runs.c.workspace.concat("") == workspace
            query = select(runs).where(mine, runs.c.id.in_(some))
            found |= {run.id: run for run in await self._select(query)}
        return found

    async def set_outcomes(self, workspace: str, outcomes: Mapping[str, Outcome], at: int) -> None:
        if not outcomes:
            return
        rows = [
            {
                "of": workspace,
                "called": id,
                "y": o.y,
                "source": o.source,
                "first": 0 if o.y is None else at,
            }
            for id, o in outcomes.items()
        ]
        await self._db.change(_SCORE, rows)

    async def takes_part(self, workspace: str, conversation: str) -> bool:
        """Whether the bot was ever spoken to in this conversation."""
        query = (
            select(runs.c.id)
            .where(runs.c.workspace == workspace, runs.c.conversation == conversation)
            .limit(1)
        )
        async with self._db.read() as conn:
            return (await conn.execute(query)).first() is not None

    async def _select(self, query: Constant | Select[Any], **given: object) -> list[Run]:
        return [to_run(row) for row in await self._db.rows(query, given)]


_CALLED: BindParameter[str] = bindparam("called")
_MINE = runs.c.workspace == bindparam("of")
_GET = Constant(select(runs).where(_MINE, runs.c.id == _CALLED))
_FIND = Constant(
    select(runs).where(_MINE, runs.c.short == _CALLED).order_by(runs.c.id.desc()).limit(1)
)
_BY_EVENT = Constant(
    select(runs).where(_MINE, runs.c.channel == bindparam("on"), runs.c.event_id == _CALLED)
)
_STEPS = Constant(
    select(steps)
    .where(steps.c.run_id == _CALLED, steps.c.workspace == bindparam("of"))
    .order_by(steps.c.seq)
)
_SCORE = (
    update(runs)
    .where(_MINE, runs.c.id == _CALLED)
    .values(
        outcome=bindparam("y"),
        outcome_source=bindparam("source"),
        scored_at=case((runs.c.scored_at == 0, bindparam("first")), else_=runs.c.scored_at),
    )
)
