"""How far each proposal has been asked about: claimed by compare-and-set."""

from sqlalchemy import bindparam, select, update

from bot.model.proposal import Asked
from storage.constant import Constant
from storage.engine import Database
from storage.tables import asks
from storage.upsert import insert

_GET = Constant(
    select(asks.c.step, asks.c.reminded_at).where(
        asks.c.workspace == bindparam("of"), asks.c.proposal == bindparam("about")
    )
)


class AskStore:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def get(self, workspace: str, proposal: str) -> Asked:
        rows = await self._db.rows(_GET, {"of": workspace, "about": proposal})
        return Asked(rows[0]["step"], rows[0]["reminded_at"]) if rows else Asked()

    async def move(
        self, workspace: str, proposal: str, before: Asked, after: Asked, at: int
    ) -> bool:
        values = {"step": after.steps, "reminded_at": after.reminded_at, "updated_at": at}
        changing = (
            update(asks)
            .where(
                asks.c.workspace == workspace,
                asks.c.proposal == proposal,
                asks.c.step == before.steps,
                asks.c.reminded_at == before.reminded_at,
            )
            .values(values)
        )
        adding = insert(self._db, asks).values(workspace=workspace, proposal=proposal, **values)
        async with self._db.write() as conn:
            if (await conn.execute(changing)).rowcount:
                return True
            if before != Asked():
                return False
            return bool((await conn.execute(adding.on_conflict_do_nothing())).rowcount)
