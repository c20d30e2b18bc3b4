"""What was approved is what begins: rights that grew while a trial waited take another approval."""

from dataclasses import replace

from bot.improve import facts
from bot.model.finding import Finding
from bot.model.proposal import ProposalStatus
from bot.model.trial import TrialStatus
from jobs import analyze
from tests.bot.improve.trials.tried import Tried
from tests.commands.stage import WORKSPACE

_P, _T = ProposalStatus, TrialStatus


async def _granted(on: Tried, agent: str, tool: str) -> None:
    now = await on.agent(agent)
    await on.stage.services.agents.deploy(
        WORKSPACE, replace(now, tools=(*now.tools, tool)), base=now.version, source="by hand"
    )


async def _merge_approved(on: Tried) -> None:
    """P2, two agents that do the same, waits as T2 for the trial that one of them is in."""
    services = on.stage.services
    await on.approved(agent="writer")
    twin = replace(await on.agent("writer"), name="poet", playbook=())
    await services.agents.deploy(WORKSPACE, twin, base=0, source="by hand")
    finding = Finding(
        id="f1",
        workspace=WORKSPACE,
        kind=facts.DUPLICATE,
        fingerprint="x1",
        title="poet and writer do much the same",
        detail="They do.",
        evidence=(),
        agent="writer",
        count=9,
        status="open",
        created_at=1,
        updated_at=1,
        confidence=1.0,
        facts={"stays": "writer", "goes": "poet", "likeness": 1.0},
    )
    await services.findings.raise_once(finding)
    await analyze.work(services, WORKSPACE, "job1")
    assert "It is tried as T2 once" in (await on.say("/approve P2", "approver")).text


async def test_a_merge_does_not_take_over_what_was_granted_meanwhile(on: Tried) -> None:
    await _merge_approved(on)
    await _granted(on, "poet", "http_fetch")
    await on.say("/rollback P1")
    await on.look()
    trial = await on.trial("T2")
    assert (trial.status, trial.reason) == (_T.STOPPED, "wider")
    assert "http_fetch" not in (await on.agent("writer")).tools
    [verdict] = on.verdicts()
    assert "The trial of **P2**" in verdict and "has not begun" in verdict
    assert "new tools (http_fetch)" in verdict and "It is offered once more" in verdict
    assert (await on.proposal("P2")).status is _P.SUPERSEDED
    assert "more by now than was approved" in (await on.say("/trial T2")).text

    await analyze.work(on.stage.services, WORKSPACE, "job2")
    again = await on.proposal("P3")
    assert (again.status, again.risk, again.change.name) == (_P.OFFERED, "owner", "poet")
    await analyze.work(on.stage.services, WORKSPACE, "job3")
    assert await on.stage.services.proposals.get(WORKSPACE, "P4") is None
    assert "tried as T3 beside" in (await on.say("/approve P3")).text


async def test_what_both_may_by_now_is_no_more_than_was_approved(on: Tried) -> None:
    await _merge_approved(on)
    for agent in ("poet", "writer"):
        await _granted(on, agent, "http_fetch")
    await on.say("/rollback P1")
    await on.look()
    assert (await on.trial("T2")).status is _T.RUNNING


async def test_what_grew_while_the_loop_was_frozen_is_not_carried_out(on: Tried) -> None:
    await _merge_approved(on)
    services = on.stage.services
    await on.say("/rollback P2")
    await on.say("/rollback P1")
    await on.say("/freeze")
    finding = await services.findings.open(WORKSPACE, 10)
    assert finding == []
    merge = await on.proposal("P2")
    fresh = replace(merge, id="p-again", number=0, status=_P.OFFERED, fingerprint="again")
    offered, _ = await services.proposals.add(replace(fresh, decided_by="", applied=None))
    assert "It waits" in (await on.say(f"/approve {offered.ref}", "approver")).text
    await _granted(on, "poet", "http_fetch")
    said = (await on.say("/unfreeze")).text
    assert f"{offered.ref} was approved meanwhile and ends: " in said
    assert "takes an owner by now, because of new tools (http_fetch)" in said
    assert (await on.proposal(offered.ref)).status is _P.SUPERSEDED
