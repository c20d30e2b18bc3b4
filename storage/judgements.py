"""What models made of answers, and what people said of the same."""

from collections.abc import Sequence

from sqlalchemy import select

from bot.ports.stores import Judgement
from storage.engine import Database
from storage.tables import judgements as table
from storage.tables import runs
from storage.upsert import insert


class JudgementStore:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def put(self, workspace: str, judgement: Judgement) -> None:
        putting = insert(self._db, table).values(
            workspace=workspace,
            run_id=judgement.run_id,
            judge=judgement.judge,
            y=judgement.y,
            reason=judgement.reason,
            created_at=judgement.created_at,
        )
        async with self._db.write() as conn:
            await conn.execute(putting.on_conflict_do_nothing())

    async def of_runs(self, workspace: str, run_ids: Sequence[str]) -> Sequence[Judgement]:
        query = (
            select(table)
            .where(table.c.workspace == workspace, table.c.run_id.in_(run_ids))
            .order_by(table.c.run_id, table.c.judge)
        )
        return [
            Judgement(row["run_id"], row["judge"], row["y"], row["reason"], row["created_at"])
            for row in await self._db.rows(query)
        ]

    async def beside_ratings(
        self, workspace: str, judge: str, limit: int
    ) -> Sequence[tuple[str, float, float, str]]:
        query = (
            select(table.c.run_id, table.c.y, runs.c.outcome, runs.c.person)
            .join(runs, runs.c.id == table.c.run_id)
            .where(
                table.c.workspace == workspace,
                table.c.judge == judge,
                runs.c.workspace == workspace,
                runs.c.outcome_source == "rating",
            )
            .order_by(table.c.created_at.desc(), table.c.run_id.desc())
            .limit(limit)
        )
        async with self._db.read() as conn:
            return [(row[0], row[1], row[2], row[3]) for row in await conn.execute(query)]
