"""The numbers: per agent version and per day, of one workspace only."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import insert

from bot.model.run import Outcome, Run, RunKind, RunStatus, Usage
from bot.model.stats import quantile
from bot.numbers import totals
from bot.ports.stores import Span
from storage.engine import Database
from storage.metrics import MetricsStore
from storage.rows import run_row
from storage.tables import outbox, runs

DAY = 86_400_000
TODAY = 20_000 * DAY


def a_run(number: int, **changes: Any) -> Run:
    run = Run(
        id=f"r{number}",
        workspace="w",
        kind=RunKind.REQUEST,
        status=RunStatus.SUCCEEDED,
        channel="web",
        event_id=f"e{number}",
        conversation="c",
        person="member",
        message="hello",
        created_at=TODAY + number,
        finished_at=TODAY + number + 100 * number,
        agent="writer",
        agent_version=1,
        usage=Usage(10, 5, 0, 0.25),
    )
    return replace(run, **changes)


async def record(db: Database, *records: Run) -> None:
    async with db.write() as conn:
        for run in records:
            closed = {
                "outcome": run.outcome.y,
                "outcome_source": run.outcome.source,
                "latency_ms": run.latency_ms,
                "finished_at": run.finished_at,
            }
            await conn.execute(insert(runs).values(run_row(run) | closed))


async def test_numbers_of_each_version(db: Database) -> None:
    await record(
        db,
        a_run(1, outcome=Outcome(1.0, "rating")),
        a_run(2, outcome=Outcome(0.0, "error"), error_type="model"),
        a_run(3, usage=Usage(1, 1, 0, None)),
        a_run(4, agent_version=2),
        a_run(5, agent="analyst", finished_at=0),
        a_run(6, agent="", agent_version=0, error_type="over_budget"),
        a_run(7, kind=RunKind.COMMAND, agent=""),
        a_run(8, workspace="other"),
        a_run(9, created_at=TODAY + DAY),
    )
    found = await MetricsStore(db).by_agent("w", TODAY, TODAY + DAY)
    assert [(b.agent, b.version, b.runs) for b in found] == [
        ("", 0, 1),
        ("analyst", 1, 1),
        ("writer", 1, 3),
        ("writer", 2, 1),
    ]
    unrouted, unfinished, writer, _ = found
    assert unrouted.errors == {"over_budget": 1}
    assert (unfinished.p50, unfinished.p95) == (0.0, 0.0)
    assert (writer.scored, writer.successes, writer.rated) == (2, 1.0, 1)
    assert writer.p50 == 200.0
    assert writer.p95 == pytest.approx(290.0)
    assert (writer.cost_usd, writer.cost_unknown) == (0.5, 1)
    assert (writer.tokens_in, writer.tokens_out, writer.errors) == (21, 11, {"model": 1})
    assert (totals(found).p50, round(totals(found).p95)) == (300.0, 560)
    only = await MetricsStore(db).by_agent("w", TODAY, TODAY + 2 * DAY, "writer")
    assert [(b.version, b.runs) for b in only] == [(1, 4), (2, 1)]
    assert await MetricsStore(db).by_agent("nobody", 0, TODAY) == []


async def test_long_latencies_are_counted_in_steps(db: Database) -> None:
    long = [
        a_run(n, finished_at=TODAY + n + ms) for n, ms in ((1, 9_999), (2, 61_234), (3, 61_299))
    ]
    await record(db, *long)
    [bucket] = await MetricsStore(db).by_agent("w", TODAY, TODAY + DAY)
    assert bucket.latencies == {9_999: 1, 61_200: 2}


def test_quantiles_lie_between_neighbours() -> None:
    assert quantile({}, 0.5) == 0.0
    assert quantile({7: 1}, 0.95) == 7.0
    assert quantile({0: 1, 10: 1}, 0.5) == 5.0
    assert quantile(dict.fromkeys(range(101), 1), 0.95) == 95.0
    assert quantile({0: 50, 10: 50}, 0.5) == 5.0
    assert quantile({0: 51, 10: 49}, 0.5) == 0.0
    assert quantile({0: 1, 10: 99}, 0.5) == 10.0


async def test_spans_are_as_long_as_their_edges_say(db: Database) -> None:
    await record(
        db,
        a_run(1, outcome=Outcome(1.0, "rating")),
        a_run(2, outcome=Outcome(0.5, "implicit")),
        a_run(3, kind=RunKind.JOB, outcome=Outcome(1.0, "check")),
        a_run(4, created_at=TODAY + DAY),
        a_run(5, workspace="other"),
    )
    spans = await MetricsStore(db).spans("w", [TODAY - 5, TODAY, TODAY + 2, TODAY + DAY])
    assert spans == [
        Span(TODAY - 5, 0, 0, 0.0, 0, 0.0),
        Span(TODAY, 1, 1, 1.0, 1, 0.25),
        Span(TODAY + 2, 1, 1, 0.5, 0, 0.5),
    ]
    assert await MetricsStore(db).spans("w", [TODAY]) == []


async def test_failed_jobs_and_undelivered_replies_are_counted(db: Database) -> None:
    failed = {"kind": RunKind.JOB, "status": RunStatus.FAILED}
    await record(
        db,
        a_run(1, message="analyze", **failed),
        a_run(2, message="analyze", **failed),
        a_run(3, message="expire", **failed),
        a_run(4, message="vacuum", kind=RunKind.JOB),
        a_run(5, status=RunStatus.FAILED),
        a_run(6, message="analyze", created_at=TODAY + DAY, **failed),
    )
    given_up = [("d1", "w", "failed", 0), ("d2", "w", "sent", 0), ("d3", "w", "failed", DAY)]
    async with db.write() as conn:
        for id, workspace, status, later in given_up:
            await conn.execute(
                insert(outbox).values(
                    id=id,
                    workspace=workspace,
                    run_id="r1",
                    channel="slack",
                    status=status,
                    node="n1",
                    created_at=TODAY + later,
                )
            )
    store = MetricsStore(db)
    assert await store.failed_jobs("w", TODAY, TODAY + DAY) == {"analyze": 2, "expire": 1}
    assert await store.undelivered("w", TODAY, TODAY + DAY) == 1
    assert await store.undelivered("other", TODAY, TODAY + DAY) == 0
