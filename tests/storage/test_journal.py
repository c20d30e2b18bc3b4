"""The run log's writer: dedupe, order, fencing, one bad wish among many."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.errors import BadInput, Conflict, Fenced, StorageError
from bot.model.delivery import Delivery
from bot.model.run import Outcome, Run, RunStatus, Step, StepKind, Usage
from bot.ports.stores import Closing, Spend
from storage.engine import Database
from storage.journal import RunJournal
from storage.nodes import NodeStore
from storage.runs import RunStore
from storage.tables import outbox, spend
from tests import samples


@pytest.fixture
async def journal(db: Database) -> AsyncIterator[RunJournal]:
    journal = RunJournal(db)
    journal.start()
    yield journal
    await journal.close()


def _step(seq: int, name: str = "gpt-4o-mini") -> Step:
    usage = Usage(10, 5, 2, 0.25)
    return Step(seq, StepKind.MODEL, name, 1, 2.5, {"messages": 2}, {"text": "hi"}, usage)


def _end(**changes: object) -> Closing:
    return replace(Closing(RunStatus.SUCCEEDED, 1_780_000_000_500, "30 days"), **changes)  # type: ignore[arg-type]


async def test_a_run_is_kept_as_it_was_given(db: Database, journal: RunJournal) -> None:
    given = samples.run(address={"channel": "C1"}, history=(("user", "hi"),), expires_at=9)
    accepted = await journal.accept(given, [_step(0)])
    assert not accepted.duplicate
    store = RunStore(db)
    assert await store.get("local", given.id) == given
    assert await store.get("another", given.id) is None
    assert await store.steps("local", given.id) == [_step(0)]
    assert await store.steps("another", given.id) == []


async def test_the_same_event_is_the_same_run(db: Database, journal: RunJournal) -> None:
    first = samples.run()
    repeats = [samples.run(event_id=first.event_id) for _ in range(20)]
    answers = await asyncio.gather(*(journal.accept(run) for run in (first, *repeats)))
    assert {a.run_id for a in answers} == {first.id}
    assert sum(not a.duplicate for a in answers) == 1
    elsewhere = await journal.accept(samples.run(event_id=first.event_id, workspace="other"))
    assert not elsewhere.duplicate


async def test_closing_writes_everything_in_one_commit(db: Database, journal: RunJournal) -> None:
    run = samples.run(agent="generalist", agent_version=3)
    await journal.accept(run)
    leaving = Delivery("d1", "local", run.id, "slack", {"channel": "C1"}, {"text": "30 days"})
    costs = Spend("local", (("agent", "generalist"), ("workspace", "")), run.created_at, 0.25)
    ended = replace(run, usage=Usage(10, 5, 2, 0.25))
    closing = _end(
        steps=(_step(1),),
        deliveries=(leaving,),
        spend=(costs, costs),
        outcome=Outcome(1.0, "check"),
    )
    await journal.close_run(ended, closing)
    kept = await RunStore(db).get("local", run.id)
    assert kept is not None
    assert (kept.status, kept.answer, kept.outcome) == (
        RunStatus.SUCCEEDED,
        "30 days",
        Outcome(1.0, "check"),
    )
    assert kept.usage == ended.usage and kept.latency_ms == 500
    async with db.read() as conn:
        assert (await conn.execute(outbox.select())).mappings().one()["id"] == "d1"
        sums = {(r.scope, r.key, len(r.period)): r.usd for r in await conn.execute(spend.select())}
    assert sums == {
        ("agent", "generalist", 10): 0.5,
        ("agent", "generalist", 7): 0.5,
        ("workspace", "", 10): 0.5,
        ("workspace", "", 7): 0.5,
    }


async def test_a_closed_run_is_closed(db: Database, journal: RunJournal) -> None:
    run = samples.run()
    await journal.accept(run)
    await journal.close_run(run, _end())
    with pytest.raises(Conflict):
        await journal.close_run(run, _end(answer="something else"))
    with pytest.raises(Conflict):
        await journal.steps(run, [_step(5)])
    kept = await RunStore(db).get("local", run.id)
    assert kept is not None and kept.answer == "30 days"


async def test_an_overtaken_attempt_writes_nothing(db: Database, journal: RunJournal) -> None:
    run = samples.run(node="dead")
    await journal.accept(run)
    nodes = NodeStore(db)
    for node, until in (("dead", 5), ("alive", 1000)):
        await nodes.register(node, host="h", pid=1, now=1, lease_until=until, version="1")
    assert await nodes.reap("alive", 10) == ["dead"]
    taken = await nodes.claim_runs("alive", 10)
    assert [(r.id, r.attempt, r.node) for r in taken] == [(run.id, 2, "alive")]
    for late in (journal.steps(run, [_step(0)]), journal.close_run(run, _end())):
        with pytest.raises(Fenced):
            await late
    assert await RunStore(db).steps("local", run.id) == []
    await journal.close_run(taken[0], _end())
    assert not await nodes.renew("dead", 2000)


async def test_one_bad_wish_harms_no_other(db: Database, journal: RunJournal) -> None:
    good = [samples.run() for _ in range(5)]
    broken = samples.run(message=None)
    answers = await asyncio.gather(
        *(journal.accept(run) for run in (*good[:3], broken, *good[3:])), return_exceptions=True
    )
    assert [isinstance(a, BadInput) for a in answers] == [False] * 3 + [True] + [False] * 2
    store = RunStore(db)
    assert [r.id for r in await store.recent("local", limit=9)] == [r.id for r in good[::-1]]


async def test_a_node_without_a_lease_writes_nothing(db: Database) -> None:
    async def never() -> bool:
        return False

    journal = RunJournal(db, never)
    journal.start()
    run: Run = samples.run()
    with pytest.raises(StorageError):
        await journal.accept(run)
    with pytest.raises(Fenced):
        await journal.steps(run, [_step(0)])
    await journal.close()
    assert await RunStore(db).get("local", run.id) is None


async def test_two_living_nodes_share_the_dead_ones_runs(db: Database, journal: RunJournal) -> None:
    for _ in range(12):
        await journal.accept(samples.run(node="dead"))
    nodes = NodeStore(db)
    for node, until in (("dead", 5), ("a", 1000), ("b", 1000)):
        await nodes.register(node, host="h", pid=1, now=1, lease_until=until, version="1")
    reaped = await asyncio.gather(nodes.reap("a", 10), nodes.reap("b", 10))
    assert sorted(map(len, reaped)) == [0, 1]
    claims = await asyncio.gather(*(nodes.claim_runs(n, 4) for n in "abab"))
    ids = [run.id for claim in claims for run in claim]
    assert len(ids) == len(set(ids)) == 12


async def test_finding_runs(db: Database, journal: RunJournal) -> None:
    store = RunStore(db)
    runs = [samples.run(created_at=1000 + n, agent="writer" if n else "ops") for n in range(4)]
    for run in runs:
        await journal.accept(run)
        await journal.close_run(run, _end(answer=run.id))
    assert [r.id for r in await store.history("local", "c1", 2)] == [r.id for r in runs[2:]]
    assert await store.find("local", runs[1].short) == await store.get("local", runs[1].id)
    assert await store.find("other", runs[1].short) is None
    between = await store.between("local", 1001, 1003)
    assert [r.id for r in between] == [r.id for r in runs[1:3]]
    assert len(await store.between("local", 0, 2000, agent="ops")) == 1
    await store.set_outcome("local", runs[0].id, Outcome(0.0, "rating"))
    first = await store.get("local", runs[0].id)
    assert first is not None and first.outcome == Outcome(0.0, "rating")
