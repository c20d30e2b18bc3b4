"""Who has approved which words of a proposal that takes more than one."""

from sqlalchemy import select

from storage.engine import Database
from storage.tables import approvals
from storage.upsert import insert


class ApprovalStore:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def put(self, workspace: str, proposal: str, person: str, mark: str, at: int) -> bool:
        adding = insert(self._db, approvals).values(
            workspace=workspace, proposal=proposal, person=person, fingerprint=mark, created_at=at
        )
        putting = adding.on_conflict_do_update(
            index_elements=["workspace", "proposal", "person"],
            set_={"fingerprint": mark, "created_at": at},
            where=approvals.c.fingerprint != mark,
        )
        async with self._db.write() as conn:
            return bool((await conn.execute(putting)).rowcount)

    async def of(self, workspace: str, proposal: str, mark: str) -> list[str]:
        query = (
            select(approvals.c.person)
            .where(
                approvals.c.workspace == workspace,
                approvals.c.proposal == proposal,
                approvals.c.fingerprint == mark,
            )
            .order_by(approvals.c.created_at, approvals.c.person)
        )
        async with self._db.read() as conn:
            return list((await conn.execute(query)).scalars())
