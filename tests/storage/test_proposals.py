"""Proposals: numbered without gaps or doubles, moved once, found by their short id."""

import asyncio
from dataclasses import replace

import pytest

from bot.errors import Conflict
from bot.model.proposal import Change, Proposal, ProposalKind, ProposalStatus
from storage.engine import Database
from storage.proposals import ProposalStore

DRAFT = Proposal(
    id="r1",
    workspace="w",
    number=0,
    kind=ProposalKind.MEMORY_NEW,
    status=ProposalStatus.OFFERED,
    title="Remember it",
    change=Change(namespace="org", text="The sky is blue."),
    base_version=0,
    diff="+The sky is blue.",
    evidence=("r0",),
    expected="",
    risk="approver",
    fingerprint="f1",
    created_at=10,
    expires_at=100,
)


@pytest.fixture
def proposals(db: Database) -> ProposalStore:
    return ProposalStore(db)


def _draft(number: int, workspace: str = "w") -> Proposal:
    return replace(DRAFT, id=f"{workspace}{number}", fingerprint=f"f{number}", workspace=workspace)


async def test_numbers_are_given_per_workspace_however_many_ask(proposals: ProposalStore) -> None:
    drafts = [_draft(n, w) for n in range(8) for w in ("w", "v")]
    added = await asyncio.gather(*(proposals.add(d) for d in drafts))
    for workspace in ("w", "v"):
        numbers = sorted(p.number for p, new in added if p.workspace == workspace and new)
        assert numbers == list(range(1, 9))


async def test_the_same_change_is_proposed_once(proposals: ProposalStore) -> None:
    first, new = await proposals.add(DRAFT)
    assert new
    assert first == replace(DRAFT, number=1)
    assert await proposals.add(replace(DRAFT, id="r2")) == (first, False)
    assert await proposals.add(replace(DRAFT, fingerprint="f2")) == (first, False)


async def test_it_is_found_by_its_short_id(proposals: ProposalStore) -> None:
    added, _ = await proposals.add(DRAFT)
    for ref in ("P1", "p1", "1", " P1 "):
        assert await proposals.get("w", ref) == added
    for ref in ("P2", "", "P", "one", "P1x", "²", "9" * 40, "P-1"):
        assert await proposals.get("w", ref) is None
    assert await proposals.get("v", "P1") is None


async def test_of_two_who_decide_one_is_first(proposals: ProposalStore) -> None:
    offered, _ = await proposals.add(DRAFT)
    results = await asyncio.gather(
        proposals.move("w", offered, ProposalStatus.APPROVED, by="a", at=20),
        proposals.move("w", offered, ProposalStatus.DECLINED, by="b", at=20, reason="no"),
        return_exceptions=True,
    )
    assert sorted(type(r).__name__ for r in results) == ["Conflict", "Proposal"]


async def test_a_move_keeps_what_it_does_not_name(proposals: ProposalStore) -> None:
    offered, _ = await proposals.add(DRAFT)
    approved = await proposals.move("w", offered, ProposalStatus.APPROVED, by="a", at=20)
    assert await proposals.unapplied("w") == [approved]
    applied = await proposals.set_applied("w", approved, {"memory": "m"})
    assert await proposals.unapplied("w") == []
    undone = await proposals.move("w", applied, ProposalStatus.ROLLED_BACK, reason="worse")
    assert (undone.decided_by, undone.decided_at, undone.reason) == ("a", 20, "worse")
    assert undone.applied == {"memory": "m"}


async def test_illegal_moves_are_refused(proposals: ProposalStore) -> None:
    offered, _ = await proposals.add(DRAFT)
    with pytest.raises(Conflict):
        await proposals.move("w", offered, ProposalStatus.KEPT)
    declined = await proposals.move("w", offered, ProposalStatus.DECLINED)
    for to in ProposalStatus:
        with pytest.raises(Conflict):
            await proposals.move("w", declined, to)
    with pytest.raises(Conflict):
        await proposals.set_applied("w", declined, {"memory": "m"})


async def test_an_edit_counts_while_it_is_offered_and_voids_older_readings(
    proposals: ProposalStore,
) -> None:
    offered, _ = await proposals.add(DRAFT)
    change = Change(namespace="org", text="The sky is grey.")
    amended = replace(offered, change=change, fingerprint="f2", revision=1)
    edited = await proposals.amend("w", amended)
    assert edited.edited
    assert edited.change == change
    with pytest.raises(Conflict):
        await proposals.move("w", offered, ProposalStatus.APPROVED)
    approved = await proposals.move("w", edited, ProposalStatus.APPROVED)
    with pytest.raises(Conflict):
        await proposals.amend("w", replace(approved, change=DRAFT.change, revision=2))


async def test_an_edit_may_not_repeat_another(proposals: ProposalStore) -> None:
    await proposals.add(DRAFT)
    second, _ = await proposals.add(_draft(2))
    with pytest.raises(Conflict, match="P1"):
        await proposals.amend("w", replace(second, fingerprint="f1"))


async def test_offered_ones_come_due(proposals: ProposalStore) -> None:
    first, _ = await proposals.add(DRAFT)
    await proposals.add(replace(_draft(2), expires_at=200))
    assert await proposals.due("w", 99) == []
    assert await proposals.due("w", 100) == [first]
    assert await proposals.due("v", 100) == []


async def test_lists_are_newest_first_and_by_status(proposals: ProposalStore) -> None:
    for number in range(3):
        await proposals.add(_draft(number))
    first = await proposals.get("w", "P1")
    assert first is not None
    await proposals.move("w", first, ProposalStatus.DECLINED, reason="no")
    assert [p.number for p in await proposals.list("w", limit=2)] == [3, 2]
    assert [p.number for p in await proposals.list("w", [ProposalStatus.DECLINED])] == [1]
    assert await proposals.list("v") == []
