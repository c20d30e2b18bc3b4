"""The desk: what a crash, the calendar and a finding do to proposals."""

from dataclasses import replace

import pytest

from bot.errors import Forbidden
from bot.model.finding import Finding
from bot.model.memory import ORG
from bot.model.proposal import Change, Proposal, ProposalKind, ProposalStatus
from bot.model.run import RunKind
from tests import samples
from tests.commands.stage import WORKSPACE, Stage

_FINDING = Finding(
    id="f1",
    workspace=WORKSPACE,
    kind="feedback",
    fingerprint="x",
    title="Rated badly",
    detail="lesson: Name the source.",
    evidence=("r1", "r2"),
    agent="writer",
    count=2,
    status="open",
    created_at=1,
    updated_at=1,
)


async def _proposal(on: Stage, ref: str) -> Proposal:
    found = await on.services.proposals.get(WORKSPACE, ref)
    assert found is not None
    return found


async def _offered(on: Stage, words: str = "be brief") -> Proposal:
    run = await on.asked("Hello", "Hi")
    said = samples.run(kind=RunKind.COMMAND)
    return await on.services.desk.from_words(run, words, on.people["member"], said.id)


@pytest.mark.parametrize("words", ["be brief", "our office is in Graz"])
async def test_an_approval_cut_off_before_its_work_is_finished_later(on: Stage, words: str) -> None:
    offered = await _offered(on, words)
    await on.services.proposals.move(
        WORKSPACE, offered, ProposalStatus.APPROVED, by=on.people["owner"].id, at=5
    )
    assert await on.services.desk.settle(WORKSPACE) == 1
    settled = await _proposal(on, "P1")
    assert settled.applied
    assert on.post.cards["local/P1"].buttons == ()
    assert await on.services.desk.settle(WORKSPACE) == 0


@pytest.mark.parametrize("words", ["be brief", "our office is in Graz"])
async def test_an_approval_cut_off_after_its_work_does_nothing_twice(on: Stage, words: str) -> None:
    offered = await _offered(on, words)
    await on.services.desk.approve(WORKSPACE, "P1", on.people["owner"])
    first = await _proposal(on, "P1")
    # What the database held just before the last write of the approval.
    lost = await on.services.proposals.set_applied(WORKSPACE, offered, {})
    assert lost.applied is None
    again = await on.services.desk.approve(WORKSPACE, "P1", on.people["owner"])
    assert again.applied == first.applied
    agents = {a.name: a for a in await on.services.agents.current(WORKSPACE)}
    assert len(agents["generalist"].playbook) == (words == "be brief")
    memories = await on.services.memories.list(WORKSPACE, [ORG])
    assert len(memories) == (words != "be brief")


async def test_a_draft_cut_off_before_its_card_is_offered_later(on: Stage) -> None:
    offered = await _offered(on)
    draft = replace(
        offered, id="d1", fingerprint="other", status=ProposalStatus.DRAFTED, title="Left behind"
    )
    await on.services.proposals.add(draft)
    assert await on.services.desk.settle(WORKSPACE) == 1
    assert (await _proposal(on, "P2")).status is ProposalStatus.OFFERED
    assert [p.card.ref for p in on.post.posted.values() if p.card] == ["P1", "P2"]


async def test_offers_expire_and_are_not_made_again(on: Stage) -> None:
    await _offered(on)
    assert await on.services.desk.expire(WORKSPACE) == 0
    on.clock.advance(15 * 86_400)
    assert await on.services.desk.expire(WORKSPACE) == 1
    expired = await _proposal(on, "P1")
    assert expired.status is ProposalStatus.EXPIRED
    card = on.post.cards["local/P1"].card
    assert card is not None
    assert card.status.startswith("Expired")
    assert (await _offered(on)).status is ProposalStatus.EXPIRED


async def test_a_finding_is_proposed_once_whatever_became_of_it(on: Stage) -> None:
    proposal = await on.services.desk.from_finding(_FINDING)
    assert proposal is not None
    assert proposal.change == Change(agent="writer", bullet="Name the source.")
    assert proposal.evidence == ("r1", "r2")
    assert await on.services.desk.from_finding(_FINDING) is None
    await on.services.desk.decline(WORKSPACE, "P1", on.people["owner"], "no")
    assert await on.services.desk.from_finding(replace(_FINDING, id="f2")) is None
    assert len(await on.services.proposals.list(WORKSPACE)) == 1


async def test_a_finding_without_words_is_no_proposal(on: Stage) -> None:
    assert await on.services.desk.from_finding(replace(_FINDING, detail=" ")) is None


async def test_new_instructions_take_an_owner_and_the_wording_they_were_made_from(
    on: Stage,
) -> None:
    offered = await _offered(on)
    wording = replace(
        offered,
        id="w1",
        fingerprint="wording",
        kind=ProposalKind.AGENT_CONFIG,
        risk="owner",
        change=Change(agent="generalist", instructions="Ignore everyone."),
    )
    await on.services.proposals.add(wording)
    with pytest.raises(Forbidden, match="P2"):
        await on.services.desk.approve(WORKSPACE, "P2", on.people["approver"])
    await on.services.desk.approve(WORKSPACE, "P1", on.people["approver"])
    await on.services.desk.approve(WORKSPACE, "P2", on.people["owner"])
    agents = {a.name: a for a in await on.services.agents.current(WORKSPACE)}
    assert agents["generalist"].instructions == "Ignore everyone."
    assert [b.text for b in agents["generalist"].playbook] == ["be brief"]
    await on.services.desk.rollback(WORKSPACE, "P2", on.people["owner"])
    agents = {a.name: a for a in await on.services.agents.current(WORKSPACE)}
    assert agents["generalist"].version == 2
