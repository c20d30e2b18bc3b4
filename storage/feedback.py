"""What people thought of runs: the last word of each person and source counts."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Select, bindparam, select

from bot.model.feedback import Feedback
from storage.constant import Constant, Row
from storage.engine import Database
from storage.tables import feedback as table
from storage.upsert import insert

_MANY = 500  # values a statement
_ONE_EACH = ["workspace", "run_id", "person", "source"]


class FeedbackStore:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def put(self, feedback: Feedback) -> None:
        said = {
            "rating": feedback.rating,
            "text": feedback.text,
            "created_at": feedback.created_at,
        }
        adding = insert(self._db, table).values(
            id=feedback.id,
            workspace=feedback.workspace,
            run_id=feedback.run_id,
            person=feedback.person,
            source=feedback.source,
            **said,
        )
        await self._db.change(adding.on_conflict_do_update(index_elements=_ONE_EACH, set_=said))

    async def of_run(self, workspace: str, run_id: str) -> list[Feedback]:
        return await self._select(_OF_RUN, of=workspace, about=run_id)

    async def of_runs(self, workspace: str, ids: Sequence[str]) -> dict[str, list[Feedback]]:
        found: dict[str, list[Feedback]] = defaultdict(list)
        for start in range(0, len(ids), _MANY):
            # Put in order here: SQLite would take the index that is in order, and read all of it.
            query = select(table).where(
                table.c.workspace == workspace, table.c.run_id.in_(ids[start : start + _MANY])
            )
            for one in sorted(await self._select(query), key=lambda f: (f.created_at, f.id)):
                found[one.run_id].append(one)
        return found

    async def since(self, workspace: str, after: int, limit: int) -> list[Feedback]:
        return await self._select(
            select(table)
            .where(table.c.workspace == workspace, table.c.created_at > after)
            .order_by(table.c.created_at, table.c.id)
            .limit(limit)
        )

    async def _select(
        self, query: Constant | Select[tuple[str, ...]], **given: object
    ) -> list[Feedback]:
        return [_feedback(row) for row in await self._db.rows(query, given)]


_OF_RUN = Constant(
    select(table)
    .where(table.c.workspace == bindparam("of"), table.c.run_id == bindparam("about"))
    .order_by(table.c.created_at, table.c.id)
)


def _feedback(row: Row) -> Feedback:
    return Feedback(
        id=row["id"],
        workspace=row["workspace"],
        run_id=row["run_id"],
        person=row["person"],
        rating=row["rating"],
        text=row["text"],
        source=row["source"],
        created_at=row["created_at"],
    )
