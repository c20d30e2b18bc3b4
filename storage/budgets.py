"""Budgets that were set, the counters of what is spent, and what was warned about."""

from collections.abc import Sequence

from sqlalchemy import bindparam, select, tuple_

from bot.model.budget import Budget, Period, Scope
from bot.ports.clock import Clock
from storage.constant import Constant
from storage.engine import Database
from storage.tables import budgets, notices, spend
from storage.upsert import insert

_SPENT = Constant(
    select(spend.c.scope, spend.c.key, spend.c.period, spend.c.usd).where(
        spend.c.workspace == bindparam("of"),
        tuple_(spend.c.scope, spend.c.key, spend.c.period).in_(bindparam("keys", expanding=True)),
    )
)
_ALL = Constant(
    select(budgets)
    .where(budgets.c.workspace == bindparam("of"))
    .order_by(budgets.c.scope, budgets.c.key, budgets.c.period)
)


class BudgetStore:
    def __init__(self, db: Database, clock: Clock) -> None:
        self._db, self._clock = db, clock

    async def spent(
        self, workspace: str, keys: Sequence[tuple[str, str, str]]
    ) -> dict[tuple[str, str, str], float]:
        if not keys:
            return {}
        rows = await self._db.rows(_SPENT, {"of": workspace, "keys": keys})
        return {(row["scope"], row["key"], row["period"]): row["usd"] for row in rows}

    async def set(self, workspace: str, budget: Budget) -> None:
        adding = insert(self._db, budgets).values(
            workspace=workspace,
            scope=budget.scope.value,
            key=budget.key,
            period=budget.period.value,
            limit_usd=budget.limit_usd,
        )
        adding = adding.on_conflict_do_update(
            index_elements=["workspace", "scope", "key", "period"],
            set_={"limit_usd": adding.excluded.limit_usd},
        )
        async with self._db.write() as conn:
            await conn.execute(adding)

    async def all(self, workspace: str) -> Sequence[Budget]:
        return [
            Budget(Scope(row["scope"]), row["key"], Period(row["period"]), row["limit_usd"])
            for row in await self._db.rows(_ALL, {"of": workspace})
        ]

    async def warn_once(self, workspace: str, key: str) -> bool:
        adding = insert(self._db, notices).values(
            workspace=workspace, key=key, created_at=self._clock.now()
        )
        async with self._db.write() as conn:
            return bool((await conn.execute(adding.on_conflict_do_nothing())).rowcount)
