"""Jobs: their pauses, ticks and watermarks."""

from typing import Any

from sqlalchemy import func, select

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

    async def all(self, workspace: str) -> list[JobState]:
        """Those that ticked, ran, or were paused; when they run is not known here."""
        async with self._db.read() as conn:
            paused = await conn.execute(
                select(jobs.c.name, jobs.c.paused).where(jobs.c.workspace == workspace)
            )
            known: dict[str, bool] = {row.name: row.paused for row in paused}
            ticked = await conn.execute(
                select(ticks.c.job, func.max(ticks.c.scheduled_at).label("at"))
                .where(ticks.c.workspace == workspace)
                .group_by(ticks.c.job)
            )
            last: dict[str, int] = {row.job: row.at for row in ticked}
            found = []
            for name in sorted(known.keys() | last.keys()):
                run = await conn.execute(
                    select(runs.c.id, runs.c.status)
                    .where(
                        runs.c.workspace == workspace,
                        runs.c.conversation == conversation_of(name),
                    )
                    .order_by(runs.c.id.desc())
                    .limit(1)
                )
                run_id, status = run.first() or ("", "")
                paused_now = known.get(name, False)
                found.append(
                    JobState(name, "", paused_now, last.get(name, 0), run_id, status, next_at=0)
                )
            return found

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
