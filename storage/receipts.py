"""What became of messages that a platform had taken: sent, delivered, read, or failed."""

from collections.abc import Mapping

from sqlalchemy import case, select, update

from bot.model.receipt import RANK, Receipt, ReceiptStatus
from storage.engine import Database
from storage.tables import receipts
from storage.upsert import insert

_KEY = ("workspace", "channel", "message_id")
_STANDING = case(dict(RANK), value=receipts.c.status, else_=-1)


class ReceiptStore:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def put(self, workspace: str, channel: str, receipt: Receipt) -> bool:
        news = {"status": receipt.status, "at": receipt.at, "error": receipt.error}
        adding = insert(self._db, receipts).values(
            workspace=workspace,
            channel=channel,
            message_id=receipt.message_id,
            delivery=receipt.delivery,
            part=receipt.part,
            **news,
        )
        putting = adding.on_conflict_do_update(
            index_elements=_KEY, set_=news, where=RANK[receipt.status] > _STANDING
        )
        async with self._db.write() as conn:
            return bool((await conn.execute(putting)).rowcount)

    async def advance(
        self,
        workspace: str,
        channel: str,
        message_id: str,
        status: ReceiptStatus,
        at: int,
        error: str = "",
    ) -> Receipt | None:
        moving = (
            update(receipts)
            .where(
                receipts.c.workspace == workspace,
                receipts.c.channel == channel,
                receipts.c.message_id == message_id,
                RANK[status] > _STANDING,
            )
            .values(status=status, at=at, error=error)
            .returning(receipts.c.delivery, receipts.c.part)
        )
        async with self._db.write() as conn:
            row = (await conn.execute(moving)).first()
        return Receipt(message_id, row.delivery, row.part, status, at, error) if row else None

    async def of(self, workspace: str, channel: str, delivery: str) -> Mapping[int, Receipt]:
        query = (
            select(receipts)
            .where(
                receipts.c.workspace == workspace,
                receipts.c.channel == channel,
                receipts.c.delivery == delivery,
            )
            .order_by(_STANDING, receipts.c.at)
        )
        async with self._db.read() as conn:
            rows = (await conn.execute(query)).all()
        return {
            row.part: Receipt(row.message_id, delivery, row.part, row.status, row.at, row.error)
            for row in rows
        }
