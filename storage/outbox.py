"""Replies on their way out: intent before each send, result after it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, insert, select, update

from bot.model.delivery import Delivery, DeliveryStatus
from storage.engine import Database
from storage.journal import RunJournal
from storage.rows import delivery_row, to_delivery
from storage.tables import outbox

_QUEUED, _SENDING = DeliveryStatus.QUEUED.value, DeliveryStatus.SENDING.value


class OutboxStore:
    """Small writes go through the journal's group commit."""

    def __init__(self, db: Database, journal: RunJournal) -> None:
        self._db, self._journal = db, journal

    async def add(self, deliveries: Sequence[Delivery], node: str, now: int) -> list[Delivery]:
        """Queues them; ids that are known already are left out of the answer."""

        def work(conn: Connection) -> list[Delivery]:
            ids = [d.id for d in deliveries]
            known = set(conn.execute(select(outbox.c.id).where(outbox.c.id.in_(ids))).scalars())
            new = [d for d in deliveries if d.id not in known]
            if new:
                conn.execute(insert(outbox), [delivery_row(d, node, now) for d in new])
            return new

        return await self._journal.write(work)

    async def intend(self, delivery: Delivery, node: str) -> Delivery | None:
        """Records that it is about to be sent; None if it is no longer this node's to send. The
        answer carries the newest text: a card may have been decided while it waited."""

        def work(conn: Connection) -> Delivery | None:
            result = (
                conn.execute(
                    update(outbox)
                    .where(
                        outbox.c.id == delivery.id,
                        outbox.c.workspace == delivery.workspace,
                        outbox.c.status == _QUEUED,
                        outbox.c.node == node,
                    )
                    .values(status=_SENDING, attempts=outbox.c.attempts + 1)
                    .returning(outbox)
                )
                .mappings()
                .first()
            )
            return to_delivery(result) if result else None

        return await self._journal.write(work)

    async def sent(self, delivery: Delivery, ref: Mapping[str, object], now: int) -> None:
        await self._set(delivery, status="sent", ref=dict(ref), sent_at=now, error="")

    async def again(self, delivery: Delivery, at: int, error: str) -> None:
        """Certainly not shown: may be sent again from `at` (ms) on."""
        await self._set(delivery, status=_QUEUED, next_at=at, error=error)

    async def failed(self, delivery: Delivery, error: str) -> None:
        await self._set(delivery, status="failed", error=error)

    async def bounced(
        self, workspace: str, delivery_id: str, error: str, again: bool, node: str
    ) -> Delivery | None:
        """The platform had taken it and did not deliver it: it failed, or with `again` is queued
        once more. The delivery for the first to say so."""
        values = {"status": "failed", "error": error}
        if again:
            values = {"status": _QUEUED, "error": error, "node": node}

        def work(conn: Connection) -> Delivery | None:
            found = (
                conn.execute(
                    update(outbox)
                    .where(
                        outbox.c.id == delivery_id,
                        outbox.c.workspace == workspace,
                        outbox.c.status.in_(("sent", _SENDING)),
                    )
                    .values(values)
                    .returning(outbox)
                )
                .mappings()
                .first()
            )
            return to_delivery(found) if found else None

        return await self._journal.write(work)

    async def get(self, workspace: str, delivery_id: str) -> Delivery | None:
        query = select(outbox).where(outbox.c.workspace == workspace, outbox.c.id == delivery_id)
        async with self._db.read() as conn:
            row = (await conn.execute(query)).mappings().first()
            return to_delivery(row) if row else None

    async def of_run(self, workspace: str, run_id: str) -> list[Delivery]:
        query = select(outbox).where(outbox.c.workspace == workspace, outbox.c.run_id == run_id)
        async with self._db.read() as conn:
            rows = (await conn.execute(query.order_by(outbox.c.id))).mappings()
            return [to_delivery(row) for row in rows]

    async def run_of(self, workspace: str, channel: str, ref: Mapping[str, object]) -> str | None:
        """The run that a shown message answers, among the channel's last 500."""
        query = (
            select(outbox.c.run_id, outbox.c.ref)
            .where(outbox.c.workspace == workspace, outbox.c.channel == channel)
            .order_by(outbox.c.created_at.desc())
            .limit(500)
        )
        async with self._db.read() as conn:
            rows = (await conn.execute(query)).all()
        shown = (row.run_id for row in rows if row.ref and ref.items() <= row.ref.items())
        return next(shown, None)

    async def refresh_card(
        self,
        workspace: str,
        card: str,
        reply: Mapping[str, object],
        new_ids: Sequence[str],
        node: str,
        now: int,
    ) -> list[Delivery]:
        """Queues an edit for every message that shows the card, and rewrites those still waiting.

        `new_ids` must have at least as many ids as there are copies; what doesn't fit is left.
        """

        def work(conn: Connection) -> list[Delivery]:
            mine = (outbox.c.workspace == workspace, outbox.c.card == card)
            conn.execute(
                update(outbox).where(*mine, outbox.c.status == _QUEUED).values(reply=dict(reply))
            )
            shown = conn.execute(
                select(outbox)
                .where(*mine, outbox.c.status.in_(("sent", "sending")))
                .order_by(outbox.c.id)
            ).mappings()
            copies = [to_delivery(row) for row in shown if row["edits"] is None]
            edits = [
                replace(
                    copy,
                    id=new_id,
                    status=DeliveryStatus.QUEUED,
                    reply=reply,
                    ref=None,
                    edits={"delivery": copy.id},
                    attempts=0,
                    next_at=0,
                )
                for copy, new_id in zip(copies, new_ids, strict=False)
            ]
            if edits:
                conn.execute(insert(outbox), [delivery_row(e, node, now) for e in edits])
            return edits

        return await self._journal.write(work)

    async def _set(self, delivery: Delivery, **values: Any) -> None:
        def work(conn: Connection) -> None:
            conn.execute(
                update(outbox)
                .where(
                    outbox.c.id == delivery.id,
                    outbox.c.workspace == delivery.workspace,
                    outbox.c.status == _SENDING,
                )
                .values(**values)
            )

        await self._journal.write(work)
