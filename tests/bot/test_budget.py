"""Budgets: asked first, held while calls are under way, refused in words that help."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.budget import Purse, defaults, in_force, label, raising, spend_rows
from bot.config import load
from bot.errors import OverBudget
from bot.model.budget import Budget, Period, Scope
from bot.model.run import Usage
from bot.ports.stores import Spend
from storage.budgets import BudgetStore
from storage.engine import Database
from storage.tables import spend
from storage.upsert import insert
from tests import databases
from tests.conftest import HeldClock

DAY_WORKSPACE = Budget(Scope.WORKSPACE, "", Period.DAY, 1.0)
Record = Callable[[float], Awaitable[None]]


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    """SQLite alone: that both databases keep counters alike is tested with the store."""
    database = databases.on_sqlite(tmp_path)
    yield database
    await database.close()


@pytest.fixture
def store(db: Database, clock: HeldClock) -> BudgetStore:
    return BudgetStore(db, clock)


@pytest.fixture
def record(db: Database, clock: HeldClock) -> Record:
    """Adds to the counters as the run log does when it commits."""

    async def record(usd: float, *, agent: str = "writer", person: str = "p1") -> None:
        keys = (("agent", agent), ("person", person), ("workspace", ""))
        for scope, key, period, amount in spend_rows(Spend("w", keys, clock.now(), usd)):
            adding = insert(db, spend).values(
                workspace="w", scope=scope, key=key, period=period, usd=amount
            )
            adding = adding.on_conflict_do_update(
                index_elements=["workspace", "scope", "key", "period"],
                set_={"usd": spend.c.usd + adding.excluded.usd},
            )
            async with db.write() as conn:
                await conn.execute(adding)

    return record


@pytest.fixture(params=[False, True], ids=["alone", "shared"])
def shared(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def costs(usd: float | None) -> Usage:
    return Usage(10, 10, cost_usd=usd)


async def hold(
    purse: Purse,
    usd: float | None,
    *,
    run: str = "r1",
    agent: str = "writer",
    person: str = "p1",
    spent: float = 0.0,
) -> str:
    return await purse.hold(
        "w", run_id=run, agent=agent, person=person, spent=costs(spent), most=costs(usd)
    )


async def test_spends_up_to_the_limit_and_not_beyond(
    store: BudgetStore, clock: HeldClock, record: Record, shared: bool
) -> None:
    purse = Purse(store, (DAY_WORKSPACE,), clock, shared=shared)
    for run in ("r1", "r2", "r3", "r4"):
        held = await hold(purse, 0.25, run=run)
        purse.release(held, costs(0.25))
        await record(0.25)
        purse.recorded(run)
    with pytest.raises(OverBudget):
        await hold(purse, 0.01, run="r5")


async def test_says_which_budget_what_is_spent_and_how_to_raise_it(
    store: BudgetStore, clock: HeldClock, record: Record
) -> None:
    await record(0.95)
    purse = Purse(store, (DAY_WORKSPACE,), clock)
    with pytest.raises(OverBudget) as raised:
        await hold(purse, 0.0625)
    said = raised.value.said
    for words in (
        "“workspace per day”",
        "limit is $1.00",
        "$0.95 of it is spent",
        "up to $0.0625",
        "`/budget set workspace day 2.00`",
        "RATCHET_BUDGET_DAY",
    ):
        assert words in said


async def test_many_at_once_cannot_pass_one_limit(
    store: BudgetStore, clock: HeldClock, shared: bool
) -> None:
    purse = Purse(store, (DAY_WORKSPACE,), clock, shared=shared)
    asked = (hold(purse, 0.1, run=f"r{n}") for n in range(32))
    holds = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(h, str) for h in holds) == 10
    assert all(isinstance(h, str | OverBudget) for h in holds)


async def test_what_was_held_and_not_spent_comes_back(store: BudgetStore, clock: HeldClock) -> None:
    purse = Purse(store, (DAY_WORKSPACE,), clock)
    held = await hold(purse, 1.0)
    with pytest.raises(OverBudget, match=r"1\.000000 held"):
        await hold(purse, 0.1, run="r2")
    purse.release(held, costs(0.0))
    purse.release(held, costs(0.0))
    assert await hold(purse, 1.0, run="r2")


async def test_a_cost_counts_before_it_is_recorded_and_once(
    store: BudgetStore, clock: HeldClock, record: Record, shared: bool
) -> None:
    purse = Purse(store, (DAY_WORKSPACE,), clock, shared=shared)
    purse.release(await hold(purse, 0.6), costs(0.6))
    with pytest.raises(OverBudget):
        await hold(purse, 0.5, run="r2")
    await record(0.6)
    purse.recorded("r1")
    assert await hold(purse, 0.4, run="r2")


async def test_the_next_call_of_a_run_finds_its_last_one_recorded(
    store: BudgetStore, clock: HeldClock, record: Record, shared: bool
) -> None:
    purse = Purse(store, (DAY_WORKSPACE,), clock, shared=shared)
    purse.release(await hold(purse, 0.4), costs(0.4))
    await record(0.4)
    purse.release(await hold(purse, 0.4, spent=0.4), costs(0.4))
    await record(0.4)
    assert await hold(purse, 0.2, spent=0.8)


async def test_nodes_share_what_is_recorded(
    store: BudgetStore, clock: HeldClock, record: Record
) -> None:
    here = Purse(store, (DAY_WORKSPACE,), clock, shared=True)
    here.release(await hold(here, 0.2), costs(0.2))
    await record(0.2)
    here.recorded("r1")
    await record(0.7)
    with pytest.raises(OverBudget):
        await hold(here, 0.2, run="r2")


async def test_a_call_of_unknown_end_has_its_counters_read_again(
    store: BudgetStore, clock: HeldClock, record: Record
) -> None:
    purse = Purse(store, (DAY_WORKSPACE,), clock)
    held = await hold(purse, 0.5)
    purse.release(held)
    await record(0.9)
    with pytest.raises(OverBudget):
        await hold(purse, 0.2, run="r2")


async def test_each_scope_has_its_own(store: BudgetStore, clock: HeldClock, record: Record) -> None:
    limits = (
        Budget(Scope.RUN, "*", Period.RUN, 0.5),
        Budget(Scope.AGENT, "*", Period.DAY, 1.0),
        Budget(Scope.PERSON, "*", Period.MONTH, 2.0),
    )
    purse = Purse(store, limits, clock, shared=True)
    with pytest.raises(OverBudget, match="each run"):
        await hold(purse, 0.2, spent=0.4)
    await record(1.0)
    with pytest.raises(OverBudget, match="agent per day"):
        await hold(purse, 0.2)
    assert await hold(purse, 0.2, agent="analyst")
    await record(0.9)
    with pytest.raises(OverBudget, match="person per month"):
        await hold(purse, 0.2, agent="ops", run="r9")
    assert await hold(purse, 0.2, agent="analyst", person="p2")


async def test_what_is_set_goes_before_the_settings_at_once(
    store: BudgetStore, clock: HeldClock
) -> None:
    purse = Purse(store, (Budget(Scope.AGENT, "*", Period.DAY, 1.0),), clock)
    with pytest.raises(OverBudget, match="agent per day") as raised:
        await hold(purse, 3.0)
    assert "/budget set agent day 3.00" in raised.value.said
    await purse.set("w", Budget(Scope.AGENT, "writer", Period.DAY, 3.0))
    assert await hold(purse, 3.0)
    with pytest.raises(OverBudget, match="agent per day"):
        await hold(purse, 3.0, agent="analyst")


async def test_another_nodes_change_is_seen_after_a_second(
    store: BudgetStore, clock: HeldClock
) -> None:
    here, there = Purse(store, (DAY_WORKSPACE,), clock), Purse(store, (DAY_WORKSPACE,), clock)
    with pytest.raises(OverBudget):
        await hold(here, 2.0)
    await there.set("w", Budget(Scope.WORKSPACE, "", Period.DAY, 5.0))
    clock.advance(1)
    assert await hold(here, 2.0)


async def test_a_new_day_begins_anew_in_utc(
    store: BudgetStore, clock: HeldClock, record: Record
) -> None:
    purse = Purse(store, (DAY_WORKSPACE,), clock)
    await record(1.0)
    with pytest.raises(OverBudget):
        await hold(purse, 0.1)
    clock.advance(4 * 3600)  # from 20:26 to 00:26
    assert await hold(purse, 0.1)


async def test_nothing_may_be_spent_but_free_and_unpriced_calls_pass(
    store: BudgetStore, clock: HeldClock
) -> None:
    purse = Purse(store, (Budget(Scope.WORKSPACE, "", Period.DAY, 0.0),), clock)
    purse.release(await hold(purse, 0.0), costs(0.0))
    purse.release(await hold(purse, None), costs(None))
    with pytest.raises(OverBudget, match=r"> 0\.0"):
        await hold(purse, 0.000001)


async def test_warns_once_at_80_percent(
    store: BudgetStore, clock: HeldClock, record: Record
) -> None:
    warned: list[tuple[str, Budget, float]] = []

    async def warn(workspace: str, budget: Budget, spent: float) -> None:
        warned.append((workspace, budget, spent))

    month = Budget(Scope.WORKSPACE, "", Period.MONTH, 100.0)
    purses = [Purse(store, (DAY_WORKSPACE, month), clock, on_warning=warn) for _ in range(2)]
    for purse, run, usd in zip(purses * 2, "abcd", (0.7, 0.15, 0.1, 0.05), strict=True):
        purse.release(await hold(purse, usd, run=run), costs(usd))
        await record(usd)
        purse.recorded(run)
        await purse.drain()
    assert [(w, b) for w, b, _ in warned] == [("w", DAY_WORKSPACE)]
    clock.advance(24 * 3600)
    purses[0].release(await hold(purses[0], 0.9, run="e"), costs(0.9))
    await purses[0].drain()
    assert [spent for _, _, spent in warned] == pytest.approx([0.85, 0.9])


async def test_a_warning_that_fails_is_given_again_and_harms_nothing(
    store: BudgetStore, clock: HeldClock
) -> None:
    async def fail(workspace: str, budget: Budget, spent: float) -> None:
        raise OSError("the channel is gone")

    purse = Purse(store, (DAY_WORKSPACE,), clock, on_warning=fail)
    purse.release(await hold(purse, 0.9), costs(0.9))
    await purse.drain()
    assert await hold(purse, 0.05, run="r2")


def test_the_settings_give_the_defaults() -> None:
    found = defaults(load({"RATCHET_BUDGET_PERSON_DAY": "0", "RATCHET_BUDGET_DAY": "3.5"}))
    limits = {(b.scope, b.key, b.period): b.limit_usd for b in found}
    assert limits[Scope.PERSON, "*", Period.DAY] == 0
    assert limits[Scope.WORKSPACE, "", Period.DAY] == 3.5
    assert limits[Scope.RUN, "*", Period.RUN] == 0.5
    assert len(found) == 7


@pytest.mark.parametrize(
    ("budget", "command"),
    [
        (Budget(Scope.WORKSPACE, "", Period.DAY, 1), "/budget set workspace day 2.00"),
        (Budget(Scope.AGENT, "writer", Period.MONTH, 1), "/budget set agent:writer month 2.00"),
        (Budget(Scope.PERSON, "*", Period.DAY, 1), "/budget set person day 2.00"),
        (Budget(Scope.RUN, "*", Period.RUN, 1), "/budget set run run 2.00"),
    ],
)
def test_the_command_that_raises_it(budget: Budget, command: str) -> None:
    assert raising(budget, 1.995) == command


@given(st.integers(0, 4_000_000_000_000), st.floats(0, 1e6))
def test_a_spend_goes_into_a_day_and_its_month(at: int, usd: float) -> None:
    rows = spend_rows(Spend("w", (("agent", "a"), ("workspace", "")), at, usd))
    assert [(scope, key) for scope, key, _, _ in rows] == [("agent", "a")] * 2 + [
        ("workspace", "")
    ] * 2
    day, month = label(Period.DAY, at), label(Period.MONTH, at)
    assert {period for _, _, period, _ in rows} == {day, month}
    assert day.startswith(month) and len(day) == 10 and len(month) == 7


@given(st.lists(st.tuples(st.sampled_from(Scope), st.sampled_from("ab"), st.floats(0, 9))))
def test_of_each_budget_there_is_one_in_force(stored: list[tuple[Scope, str, float]]) -> None:
    found = in_force([Budget(s, k, Period.DAY, usd) for s, k, usd in stored], [DAY_WORKSPACE])
    names = [(b.scope, b.key, b.period) for b in found]
    assert len(names) == len(set(names))
    latest = {(s, k): usd for s, k, usd in stored}
    assert all(latest.get((b.scope, b.key), 1.0) == b.limit_usd for b in found)
