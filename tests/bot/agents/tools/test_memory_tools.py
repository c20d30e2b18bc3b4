"""Remember and recall, as the model uses them, for the one it talks to."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.agents.tools.base import ToolContext
from bot.agents.tools.recall import recall
from bot.agents.tools.remember import remember
from bot.agents.tools.run import call
from bot.errors import ToolError
from bot.model.memory import ORG, of_agent, of_user
from storage.engine import Database
from tests.bot.agents.tools.house import context
from tests.conftest import HeldClock


@pytest.fixture
async def ctx(db: Database, clock: HeldClock, tmp_path: Path) -> AsyncIterator[ToolContext]:
    async with context(db, clock, tmp_path) as made:
        yield made


async def test_what_one_is_told_is_recalled_for_them_and_nobody_else(ctx: ToolContext) -> None:
    said = await call(remember, ctx, '{"text": "The deploy day is Thursday."}')
    again = await call(remember, ctx, '{"text": "The deploy day is Thursday."}')

    assert again == said and said.startswith("Remembered as M1")
    found = json.loads(await call(recall, ctx, '{"question": "When do we deploy?"}'))
    assert [(f["ref"], f["text"]) for f in found] == [("M1", "The deploy day is Thursday.")]
    for other in (replace(ctx, person="ben"), replace(ctx, person=""), replace(ctx, workspace="v")):
        nothing = await call(recall, other, '{"question": "deploy day?"}')
        assert nothing == "Nothing about that is remembered."


async def test_each_call_of_a_run_remembers_once(ctx: ToolContext) -> None:
    await call(remember, ctx, '{"text": "The first fact."}')
    other = replace(ctx, call_id="run-1:" + "x" * 500)
    await call(remember, other, '{"text": "The second fact."}')

    assert {m.ref for m in await ctx.memory.between("w", [of_user("anna")], 0, 2**60)} == {
        "M1",
        "M2",
    }


async def test_recall_sees_the_team_the_agent_and_the_person(ctx: ToolContext) -> None:
    for namespace in (ORG, of_agent("generalist"), of_agent("writer"), of_user("ben")):
        text = f"The tea rule of {namespace} is green."
        await ctx.memory.remember("w", namespace, text, by="x", source="")

    found = json.loads(await call(recall, ctx, '{"question": "tea rule", "limit": 20}'))

    assert sorted(f["text"] for f in found) == [
        "The tea rule of agent:generalist is green.",
        "The tea rule of org is green.",
    ]


async def test_a_run_without_a_person_remembers_for_its_agent(ctx: ToolContext) -> None:
    await call(remember, replace(ctx, person=""), '{"text": "Backups take an hour."}')

    assert await ctx.memory.holds("w", [of_agent("generalist")])
    assert not await ctx.memory.holds("w", [of_user("")])


async def test_nothing_and_too_much_are_refused(ctx: ToolContext) -> None:
    for text in ("", "   ", "x" * 5_000):
        with pytest.raises(ToolError):
            await call(remember, ctx, json.dumps({"text": text}))
