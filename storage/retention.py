"""What the database forgets, and how it is kept in shape."""

from typing import Any

from sqlalchemy import and_, delete, exists, func, or_, select, text, update

from bot.model.run import CLOSED, StepKind
from storage.engine import Database
from storage.tables import codes, drafts, files, notices, outbox, receipts, runs, steps, ticks

_NO_RUN_TEXT = {
    **{"message": "", "answer": "", "error_message": ""},
    **{"reply": None, "history": None, "files": None},
}
_NO_STEP_TEXT = {"input": None, "output": None, "error_message": ""}
_CLOSED = [status.value for status in CLOSED]


class UpkeepStore:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def workspaces(self) -> list[str]:
        """Each is one seek into the index, however many runs there are."""
        found: list[str] = []
        async with self._db.read() as conn:
            while True:
                query = select(func.min(runs.c.workspace))
                if found:
                    query = query.where(runs.c.workspace > found[-1])
                name = (await conn.execute(query)).scalar()
                if name is None:
                    return found
                found.append(name)

    async def forget_texts(self, workspace: str, since: int, before: int, limit: int) -> int:
        old = and_(
            runs.c.workspace == workspace, runs.c.created_at >= since, runs.c.created_at < before
        )
        query = (
            select(runs.c.id)
            .where(old, runs.c.status.in_(_CLOSED), _speaks())
            .order_by(runs.c.created_at)
            .limit(limit)
        )
        async with self._db.write() as conn:
            chosen = (await conn.execute(query)).scalars().all()
            if chosen:
                of_runs: Any = runs.c.workspace == workspace, runs.c.id.in_(chosen)
                await conn.execute(update(runs).where(*of_runs).values(_NO_RUN_TEXT))
                for table, values in (
                    (steps, _NO_STEP_TEXT),
                    (outbox, {"reply": None}),
                    (files, {"content": None, "name": ""}),
                ):
                    await conn.execute(
                        update(table)
                        .where(table.c.workspace == workspace, table.c.run_id.in_(chosen))
                        .values(values)
                    )
                # The step that read a file is called as the file is.
                of_files = steps.c.run_id.in_(chosen), steps.c.kind == StepKind.FILE.value
                await conn.execute(
                    update(steps).where(steps.c.workspace == workspace, *of_files).values(name="")
                )
            # What came with a request that never became a run, or whose run has read it since.
            await conn.execute(
                delete(files).where(
                    files.c.workspace == workspace,
                    files.c.run_id == "",
                    files.c.created_at < before,
                )
            )
        return len(chosen)

    async def tidy(self, workspace: str, ticks_before: int, notices_before: int) -> int:
        later = ticks.alias()
        superseded = exists().where(
            later.c.workspace == ticks.c.workspace,
            later.c.job == ticks.c.job,
            later.c.scheduled_at > ticks.c.scheduled_at,
        )
        async with self._db.write() as conn:
            ended = await conn.execute(
                delete(ticks).where(
                    ticks.c.workspace == workspace, ticks.c.scheduled_at < ticks_before, superseded
                )
            )
            said = await conn.execute(
                delete(notices).where(
                    notices.c.workspace == workspace, notices.c.created_at < notices_before
                )
            )
            over = await conn.execute(
                delete(drafts).where(
                    drafts.c.workspace == workspace, drafts.c.created_at < ticks_before
                )
            )
            spent = await conn.execute(
                delete(codes).where(
                    codes.c.workspace == workspace, codes.c.expires_at < ticks_before
                )
            )
            unasked = await conn.execute(
                delete(outbox).where(
                    outbox.c.workspace == workspace,
                    text("run_id = ''"),  # as text, so that the index is seen to fit
                    outbox.c.created_at < ticks_before,
                    outbox.c.card == "",
                    outbox.c.status.in_(("sent", "failed")),
                )
            )
            told = await conn.execute(
                delete(receipts).where(
                    receipts.c.workspace == workspace, receipts.c.at < ticks_before
                )
            )
            gone = (ended, said, over, spent, unasked, told)
            return sum(one.rowcount for one in gone)

    async def optimize(self) -> None:
        """PostgreSQL's autovacuum does the same by itself."""
        if self._db.sqlite:
            async with self._db.read() as conn:
                await conn.execute(text("PRAGMA optimize"))
                await conn.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))


def _speaks() -> Any:
    """Whether any of the run's texts is left."""
    return or_(
        runs.c.message != "",
        runs.c.answer != "",
        runs.c.error_message != "",
        runs.c.reply.is_not(None),
        runs.c.history.is_not(None),
    )
