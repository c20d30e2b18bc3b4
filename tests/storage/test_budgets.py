"""Budgets that were set, counters that are read in one go, and warnings that come once."""

import asyncio

import pytest

from bot.budget import spend_rows
from bot.model.budget import Budget, Period, Scope
from bot.ports.stores import Spend
from storage.budgets import BudgetStore
from storage.engine import Database
from storage.tables import spend
from tests.conftest import HeldClock

AT = 1_780_000_000_000  # 2026-05-28, 20:26 UTC
DAY, MONTH = "2026-05-28", "2026-05"


@pytest.fixture
def budgets(db: Database, clock: HeldClock) -> BudgetStore:
    return BudgetStore(db, clock)


async def record(db: Database, spent: Spend) -> None:
    rows = [
        {"workspace": spent.workspace, "scope": scope, "key": key, "period": period, "usd": usd}
        for scope, key, period, usd in spend_rows(spent)
    ]
    async with db.write() as conn:
        await conn.execute(spend.insert(), rows)


async def test_a_budget_set_twice_is_one(budgets: BudgetStore) -> None:
    agents = Budget(Scope.AGENT, "*", Period.DAY, 1.0)
    for budget in (agents, Budget(Scope.AGENT, "*", Period.DAY, 2.5)):
        await budgets.set("w", budget)
    await budgets.set("w", Budget(Scope.AGENT, "writer", Period.DAY, 9.0))
    await budgets.set("v", Budget(Scope.WORKSPACE, "", Period.MONTH, 7.0))
    assert await budgets.all("w") == [
        Budget(Scope.AGENT, "*", Period.DAY, 2.5),
        Budget(Scope.AGENT, "writer", Period.DAY, 9.0),
    ]


async def test_reads_the_counters_asked_for_and_no_others(
    db: Database, budgets: BudgetStore
) -> None:
    keys = (("agent", "writer"), ("person", "p1"), ("workspace", ""))
    await record(db, Spend("w", keys, AT, 0.25))
    await record(db, Spend("v", keys, AT, 4.0))
    asked = [("agent", "writer", DAY), ("workspace", "", MONTH), ("person", "p2", DAY)]
    assert await budgets.spent("w", asked) == {
        ("agent", "writer", DAY): 0.25,
        ("workspace", "", MONTH): 0.25,
    }
    assert await budgets.spent("w", []) == {}


async def test_warns_the_first_who_asks(budgets: BudgetStore) -> None:
    firsts = await asyncio.gather(*(budgets.warn_once("w", "budget x") for _ in range(8)))
    assert sorted(firsts) == [False] * 7 + [True]
    assert await budgets.warn_once("v", "budget x")
    assert await budgets.warn_once("w", "budget y")
