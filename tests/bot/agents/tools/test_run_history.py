"""What was learned and done yesterday, today, or over a length of time."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from bot.agents.tools import periods
from bot.agents.tools.base import ToolContext
from bot.agents.tools.run import call
from bot.agents.tools.run_history import run_history
from bot.errors import ToolError
from bot.model.memory import ORG, of_user
from bot.model.proposal import Change, Proposal, ProposalKind, ProposalStatus
from bot.model.run import Outcome, Run, RunKind, RunStatus, Usage
from storage.engine import Database
from storage.proposals import ProposalStore
from storage.rows import run_row
from storage.tables import runs
from tests.bot.agents.tools.house import bare, context
from tests.conftest import HeldClock

DAY = 86_400_000
NOW = 20_600 * DAY + DAY // 2
YESTERDAY = NOW - DAY


@pytest.fixture
async def ctx(db: Database, tmp_path: Path) -> AsyncIterator[ToolContext]:
    async with context(db, HeldClock(NOW), tmp_path) as made:
        yield made


async def asked(ctx: ToolContext, period: str = "yesterday") -> dict[str, Any]:
    answer = json.loads(await call(run_history, ctx, json.dumps({"period": period})))
    assert isinstance(answer, dict)
    return answer


async def record(db: Database, number: int, at: int, outcome: Outcome, **more: Any) -> None:
    run = Run(
        id=f"r{number}",
        workspace="w",
        kind=RunKind.REQUEST,
        status=RunStatus.SUCCEEDED,
        channel="web",
        event_id=f"e{number}",
        conversation="c",
        person="ben",
        message="a private question",
        created_at=at,
        finished_at=at + 100,
        agent="writer",
        agent_version=1,
        usage=Usage(10, 5, 0, 0.25),
        outcome=outcome,
        **more,
    )
    closed = {"outcome": outcome.y, "outcome_source": outcome.source, "latency_ms": 100}
    async with db.write() as conn:
        await conn.execute(insert(runs).values(run_row(run) | closed))


async def approve(db: Database, number: int, change: Change, at: int) -> None:
    proposal = Proposal(
        id=f"p{number}",
        workspace="w",
        number=0,
        kind=ProposalKind.AGENT_CONFIG if change.bullet else ProposalKind.MEMORY_NEW,
        status=ProposalStatus.OFFERED,
        title=f"Lesson {number}",
        change=change,
        base_version=1,
        diff="",
        evidence=("r1",),
        expected="",
        risk="approver",
        fingerprint=f"f{number}",
        created_at=at - 5,
        expires_at=at + DAY,
    )
    store = ProposalStore(db)
    added, _ = await store.add(proposal)
    await store.move("w", added, ProposalStatus.APPROVED, by="anna", at=at)


async def test_yesterday_with_its_lessons_runs_success_and_cost(
    ctx: ToolContext, db: Database
) -> None:
    await record(db, 1, YESTERDAY, Outcome(1.0, "rating"))
    await record(db, 2, YESTERDAY, Outcome(0.0, "error"), error_type="model")
    await record(db, 3, YESTERDAY, Outcome())
    await record(db, 4, NOW, Outcome(1.0, "rating"))
    await approve(db, 1, Change(agent="writer", bullet="Say the date."), YESTERDAY)
    await approve(db, 2, Change(agent="writer", bullet="Say the week."), NOW)
    await approve(db, 3, Change(namespace=of_user("ben"), text="his own"), YESTERDAY)
    await approve(db, 4, Change(namespace=of_user("anna"), text="her own"), YESTERDAY)

    said = await asked(ctx)

    assert (said["from"], said["until"]) == (
        "2026-05-26T00:00:00+00:00",
        "2026-05-27T00:00:00+00:00",
    )
    assert said["runs"] == {
        "count": 3,
        "scored": 2,
        "success": 0.5,
        "cost_usd": 0.75,
        "cost_unknown": 0,
    }
    assert said["by_agent"][0]["agent"] == "writer"
    assert said["by_agent"][0]["errors"] == {"model": 1}
    assert {p["title"] for p in said["lessons"]} == {"Lesson 1", "Lesson 4"}
    assert "private" not in json.dumps(said) and "his own" not in json.dumps(said)


async def test_memories_of_the_period_are_told_to_whom_they_belong(ctx: ToolContext) -> None:
    await ctx.memory.remember("w", ORG, "Deploys are on Thursday.", by="x", source="")
    await ctx.memory.remember("w", of_user("ben"), "His door code.", by="x", source="")

    assert (await asked(ctx, "today"))["memories"] == [
        {"ref": "M1", "text": "Deploys are on Thursday."}
    ]
    assert (await asked(ctx, "yesterday"))["memories"] == []


async def test_a_period_without_anything_is_said_with_zeros(ctx: ToolContext) -> None:
    said = await asked(ctx, "7d")

    assert said["runs"]["count"] == 0 and said["runs"]["success"] is None
    assert said["lessons"] == said["memories"] == said["by_agent"] == []


@pytest.mark.parametrize(
    ("words", "length"),
    [
        ("7d", 7 * DAY),
        ("24h", DAY),
        ("4w", 28 * DAY),
        ("Last 3 days", 3 * DAY),
        ("week", 7 * DAY),
        ("today", DAY // 2),
    ],
)
def test_periods_end_now(words: str, length: int) -> None:
    assert periods.parse(words, NOW) == (NOW - length, NOW + 1)


@pytest.mark.parametrize("words", ["", "soon", "0d", "-1d", "9999w", "7", "\u0661d", "d"])
async def test_what_is_no_period_is_said_with_examples(words: str) -> None:
    with pytest.raises(ToolError) as raised:
        await asked(bare(HeldClock(NOW)), words)
    assert "yesterday" in str(raised.value)
