"""A proposal is tried on recorded requests: in pairs, through the real agent, for nobody to see."""

import json
from collections.abc import Sequence

import pytest

from bot.model.proposal import Change, Proposal, ProposalKind, ProposalStatus
from bot.model.run import Run, RunStatus, StepKind
from tests.bot.dispatch.saying import WORKSPACE
from tests.bot.improve.replay.conftest import Loop
from tests.fakes.model_answers import Answer, Body, Failure, Turn, asked

PRICE = {"RATCHET_REPLAY_BUDGET": "0.002"}


def lesson(body: Body, words: str = "name the season") -> bool:
    return words in str(body["messages"][0]["content"])


def thirty(body: Body) -> str:
    return f"{asked(body)} Within 30 days."


def worse(body: Body) -> Turn:
    """With the lesson the model says something else."""
    return "Summer, winter, autumn, spring." if lesson(body) else thirty(body)


async def test_a_change_that_makes_answers_worse_is_seen_to(loop: Loop) -> None:
    loop.model.reply = worse
    await loop.fill()
    proposal = await loop.propose()
    assert await loop.turn() == "11 pairs replayed, 1 replay ended"
    kept, seen = await loop.kept(proposal), await loop.seen(proposal)
    assert (kept.status, seen["status"], seen["by"]) == ("done", "done", "similarity")
    assert (seen["pairs"], seen["of"], seen["diverged"], seen["enough"]) == (11, 11, 0, True)
    assert seen["high"] < -0.5
    assert kept.result and kept.result.enough and kept.result.mean == pytest.approx(seen["mean"])
    assert seen["cost_usd"] == pytest.approx(kept.cost_usd) and kept.cost_usd > 0
    assert loop.asked[0].id not in kept.tasks  # what it was made from proves nothing
    assert await loop.turn() == "0 pairs replayed, 0 replays ended"


async def test_it_counts_nowhere_as_a_request(loop: Loop) -> None:
    loop.model.reply = worse
    await loop.fill()
    services = loop.app.services
    proposal = await loop.propose()
    before = await services.metrics.by_agent(WORKSPACE, 0, 2**53)
    await loop.turn()
    runs = await loop.runs()
    assert len(runs) == 22 and {run.status for run in runs} == {RunStatus.SUCCEEDED}
    assert all(run.usage.cost_usd for run in runs)
    assert await services.metrics.by_agent(WORKSPACE, 0, 2**53) == before
    for task in (await loop.kept(proposal)).tasks:
        run = await services.runs.get(WORKSPACE, task)
        assert run and len(await services.runs.history(WORKSPACE, run.conversation, 9)) == 1
    young = (2**52, 2**53)
    closed, still_open = await services.evidence.closed(WORKSPACE, "", "~", young, 500)
    assert {run.id for run in closed} == {run.id for run in loop.asked} and not still_open
    assert not await services.runs.takes_part(WORKSPACE, "replay")


async def test_too_little_material_is_said_and_no_pass(loop: Loop) -> None:
    loop.model.reply = worse
    await loop.fill(5)
    proposal = await loop.propose()
    assert await loop.turn() == "0 pairs replayed, 0 replays ended"
    seen = await loop.seen(proposal)
    assert (seen["status"], seen["enough"], seen["pairs"]) == ("thin", False, 0)
    assert seen["reason"] == (
        "4 recorded answers that people took to try it on, at least 10 are needed"
    )
    assert await loop.runs() == []


def noting(body: Body) -> Turn:
    """Remembers what was asked; with the lesson something else."""
    messages = body["messages"]
    if messages[-1]["role"] == "tool":
        return f"{asked(body)} {messages[-1]['content']}"
    what = "the season" if lesson(body) else asked(body)
    return Answer(tool_calls=(("remember", json.dumps({"text": what})),))


async def _results(loop: Loop, runs: Sequence[Run]) -> list[str]:
    services = loop.app.services
    steps = [step for run in runs for step in await services.runs.steps(WORKSPACE, run.id)]
    return sorted(str(step.output) for step in steps if step.kind is StepKind.TOOL)


async def test_what_writes_is_answered_from_the_log(loop: Loop) -> None:
    loop.model.reply = noting
    await loop.fill()
    memories = await loop.app.services.memories.total(WORKSPACE)
    proposal = await loop.propose("lesson: speak of winter only")
    assert await loop.turn() == "11 pairs replayed, 1 replay ended"
    seen = await loop.seen(proposal)
    assert (seen["pairs"], seen["mean"], seen["diverged"]) == (11, 0.0, 0)
    assert memories == await loop.app.services.memories.total(WORKSPACE) == 12
    live = await _results(loop, loop.asked[1:])
    assert await _results(loop, await loop.runs()) == sorted(live * 2)


async def test_a_call_without_a_recorded_result_is_counted_and_not_guessed(loop: Loop) -> None:
    loop.model.reply = noting
    await loop.fill()
    proposal = await loop.propose()
    assert await loop.turn() == "11 pairs replayed, 1 replay ended"
    seen = await loop.seen(proposal)
    assert (seen["status"], seen["pairs"], seen["diverged"]) == ("thin", 0, 11)
    assert not seen["enough"] and seen["reason"] == "too few pairs could be compared"
    ends = {(run.status, run.error_type) for run in await loop.runs()}
    assert (RunStatus.FAILED, "diverged") in ends
    assert await loop.app.services.memories.total(WORKSPACE) == 12


def gone(body: Body) -> Turn:
    if body["model"] != "small":
        return Failure(404, "The model does not exist", "model_not_found")
    return thirty(body)


async def test_a_model_that_no_longer_exists_loses(loop: Loop) -> None:
    loop.model.reply = gone
    await loop.fill()
    proposal = await cheaper(loop, "gone")
    await loop.turn()
    seen = await loop.seen(proposal)
    assert seen["pairs"] == 12 and seen["high"] < -0.5 and seen["enough"]
    found = [pair.candidate for pair in await loop.pairs(proposal)]
    assert {(side.y, side.by) for side in found if side} == {(0.0, "error")}


async def cheaper(loop: Loop, model: str) -> Proposal:
    drafted = Proposal(
        id="cheaper",
        workspace=WORKSPACE,
        number=0,
        kind=ProposalKind.MODEL_CHEAPER,
        status=ProposalStatus.OFFERED,
        title="A cheaper model",
        change=Change(agent=loop.asked[0].agent, config={"model": model}),
        base_version=loop.asked[0].agent_version,
        diff="",
        evidence=(),
        expected="",
        risk="owner",
        fingerprint="cheaper",
        created_at=1,
        expires_at=2 * 10**12,
    )
    return (await loop.app.services.proposals.add(drafted))[0]


@pytest.mark.parametrize("more", [PRICE])
async def test_it_stops_where_its_budget_ends(loop: Loop) -> None:
    loop.model.reply = worse
    await loop.fill()
    proposal = await loop.propose()
    await loop.turn()
    kept, seen = await loop.kept(proposal), await loop.seen(proposal)
    assert (kept.status, seen["status"]) == ("spent", "spent")
    assert 0 <= seen["pairs"] < 11 and kept.cost_usd <= 0.002
    assert "RATCHET_REPLAY_BUDGET" in seen["reason"]
    runs = len(await loop.runs())
    assert await loop.turn() == "0 pairs replayed, 0 replays ended"
    assert len(await loop.runs()) == runs
