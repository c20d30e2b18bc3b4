"""Who wants a digest where and when, and which one was the last that is settled."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, delete, select, update

from bot.model.subscription import Subscription
from storage.constant import Row
from storage.engine import Database
from storage.tables import subscriptions as table
from storage.upsert import insert

_KEY = ("workspace", "person", "channel", "place", "cadence")
_SAID = ("address", "weekday", "hour", "zone", "always", "created_at")


class SubscriptionStore:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def put(self, one: Subscription) -> None:
        values = {name: getattr(one, name) for name in (*_KEY, *_SAID)}
        values["address"] = dict(one.address)
        adding = insert(self._db, table).values(values)
        changed = {name: values[name] for name in _SAID}
        async with self._db.write() as conn:
            await conn.execute(adding.on_conflict_do_update(index_elements=_KEY, set_=changed))

    async def all(self, workspace: str) -> Sequence[Subscription]:
        return await self._select(select(table).where(table.c.workspace == workspace))

    async def of_person(self, workspace: str, person: str) -> Sequence[Subscription]:
        return await self._select(
            select(table).where(table.c.workspace == workspace, table.c.person == person)
        )

    async def at_place(self, workspace: str, channel: str, place: str) -> Sequence[Subscription]:
        return await self._select(
            select(table).where(
                table.c.workspace == workspace, table.c.channel == channel, table.c.place == place
            )
        )

    async def end(self, one: Subscription) -> bool:
        async with self._db.write() as conn:
            return bool((await conn.execute(delete(table).where(*_is(one)))).rowcount)

    async def settle(self, one: Subscription, due: int) -> bool:
        settling = (
            update(table).where(*_is(one), table.c.sent_at == one.sent_at).values(sent_at=due)
        )
        async with self._db.write() as conn:
            return bool((await conn.execute(settling)).rowcount)

    async def _select(self, query: Select[Any]) -> Sequence[Subscription]:
        ordered = query.order_by(table.c.created_at, *(table.c[name] for name in _KEY))
        return [_subscription(row) for row in await self._db.rows(ordered)]


def _is(one: Subscription) -> tuple[Any, ...]:
    return tuple(table.c[name] == getattr(one, name) for name in _KEY)


def _subscription(row: Row) -> Subscription:
    return Subscription(**{**row, "address": row["address"] or {}})
