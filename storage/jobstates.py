"""Jobs: their pauses, ticks and watermarks."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.job import JobState, conversation_of
from storage.engine import Database
from storage.tables import jobs, runs, ticks
from storage.upsert import insert


class JobStateStore:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def claim_tick(self, workspace: str, job: str, scheduled: int, run_id: str) -> bool:
        claiming = insert(self._db, ticks).values(
            workspace=workspace, job=job, scheduled_at=scheduled, run_id=run_id
        )
        holder = select(ticks.c.run_id).where(
            ticks.c.workspace == workspace,
            ticks.c.job == job,
            ticks.c.scheduled_at == scheduled,
        )
        async with self._db.write() as conn:
            await conn.execute(claiming.on_conflict_do_nothing())
            return bool((await conn.execute(holder)).scalar_one() == run_id)

    async def last_tick(self, workspace: str, job: str) -> int:
        query = select(func.max(ticks.c.scheduled_at)).where(
            ticks.c.workspace == workspace, ticks.c.job == job
        )
        async with self._db.read() as conn:
            return (await conn.execute(query)).scalar() or 0

    async def set_paused(self, workspace: str, job: str, paused: bool) -> None:
        await self._put(workspace, job, {"paused": paused})

    async def paused(self, workspace: str) -> set[str]:
        query = select(jobs.c.name).where(jobs.c.workspace == workspace, jobs.c.paused)
        async with self._db.read() as conn:
            return set((await conn.execute(query)).scalars())

    async def of(self, workspace: str, names: Sequence[str]) -> list[JobState]:
        """When they run is not known here."""
        async with self._db.read() as conn:
            return [await _state(conn, workspace, name) for name in names]

    async def watermark(self, workspace: str, job: str) -> int:
        query = select(jobs.c.watermark).where(jobs.c.workspace == workspace, jobs.c.name == job)
        async with self._db.read() as conn:
            return (await conn.execute(query)).scalar() or 0

    async def set_watermark(self, workspace: str, job: str, value: int) -> None:
        await self._put(workspace, job, {"watermark": value}, jobs.c.watermark < value)

    async def _put(
        self, workspace: str, job: str, values: dict[str, Any], where: Any = None
    ) -> None:
        putting = insert(self._db, jobs).values(workspace=workspace, name=job, **values)
        async with self._db.write() as conn:
            await conn.execute(
                putting.on_conflict_do_update(
                    index_elements=["workspace", "name"], set_=values, where=where
                )
            )


async def _state(conn: AsyncConnection, workspace: str, name: str) -> JobState:
    last = select(func.max(ticks.c.scheduled_at)).where(
        ticks.c.workspace == workspace, ticks.c.job == name
    )
    held = select(jobs.c.paused).where(jobs.c.workspace == workspace, jobs.c.name == name)
    run = (
        select(runs.c.id, runs.c.status, runs.c.created_at)
        .where(runs.c.workspace == workspace, runs.c.conversation == conversation_of(name))
        .order_by(runs.c.id.desc())
        .limit(1)
    )
    tick: int = (await conn.execute(last)).scalar() or 0
    paused = bool((await conn.execute(held)).scalar())
    run_id, status, began = (await conn.execute(run)).first() or ("", "", 0)
    return JobState(name, "", paused, max(tick, began), run_id, status, next_at=0)
