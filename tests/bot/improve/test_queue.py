"""So many are looked at in a place, best first; the rest wait, and nothing comes back unasked."""

from dataclasses import replace

from bot.improve import facts
from bot.model.finding import Finding
from bot.model.proposal import ProposalKind, ProposalStatus
from bot.model.run import RunKind
from tests import samples
from tests.commands.stage import WORKSPACE, Stage

S = ProposalStatus


def _finding(number: int, count: int = 1) -> Finding:
    return Finding(
        id=f"f{number}",
        workspace=WORKSPACE,
        kind=facts.COMPLAINT,
        fingerprint=f"x{number}",
        title="Rated badly",
        detail=f"lesson: Name source {number}.",
        evidence=tuple(f"r{n}" for n in range(count)),
        agent="writer",
        count=count,
        status="open",
        created_at=1,
        updated_at=1,
    )


async def _refs(on: Stage, status: ProposalStatus) -> set[str]:
    return {p.ref for p in await on.services.proposals.list(WORKSPACE, [status], 50)}


async def test_what_has_no_room_waits_and_the_best_goes_first(on_sqlite: Stage) -> None:
    on, desk = on_sqlite, on_sqlite.services.desk
    for number in range(10):
        assert await desk.from_finding(_finding(number))
    small = await desk.from_finding(_finding(11))
    big = await desk.from_finding(_finding(12, 9))
    assert small and big
    assert (small.status, big.status) == (S.DRAFTED, S.DRAFTED)
    assert big.rank > small.rank
    assert await desk.settle(WORKSPACE) == 0
    on.clock.advance(3 * 86_400)
    await desk.decline(WORKSPACE, "P1", on.people["owner"], "no")
    assert await desk.settle(WORKSPACE) == 1
    assert await _refs(on, S.DRAFTED) == {small.ref}
    offered = await on.services.proposals.get(WORKSPACE, big.ref)
    assert offered and offered.expires_at == on.clock.now() + 14 * 86_400_000


async def test_each_place_has_room_of_its_own(on_sqlite: Stage) -> None:
    on, desk = on_sqlite, on_sqlite.services.desk
    for number in range(11):
        await desk.from_finding(_finding(number))
    run = await on.asked("Hello", "Hi")
    said = samples.run(kind=RunKind.COMMAND)
    asked = await desk.from_words(run, "be brief", on.people["member"], said.id, "slack:C1")
    assert asked.status is S.OFFERED


async def test_what_a_policy_decides_waits_for_nobody(on_sqlite: Stage) -> None:
    on, desk = on_sqlite, on_sqlite.services.desk
    for number in range(10):
        await desk.from_finding(_finding(number))
    automatic = 'approvals:\n  - {risk: "*", kind: "*", needs: automatic}\n'
    await on.services.policies.set(WORKSPACE, automatic, "owner")
    decided = await desk.from_finding(_finding(11))
    assert decided and decided.status is not S.DRAFTED


async def test_what_waited_until_it_cannot_be_done_is_superseded(on_sqlite: Stage) -> None:
    on, desk = on_sqlite, on_sqlite.services.desk
    for number in range(11):
        await desk.from_finding(_finding(number))
    await on.services.agents.retire(WORKSPACE, "writer", base=1)
    await desk.decline(WORKSPACE, "P1", on.people["owner"], "no")
    await desk.settle(WORKSPACE)
    waited = await on.services.proposals.get(WORKSPACE, "P11")
    assert waited and waited.status is S.SUPERSEDED
    assert "no agent writer" in waited.reason


async def test_a_declined_one_comes_back_on_twice_the_evidence(on_sqlite: Stage) -> None:
    on, desk = on_sqlite, on_sqlite.services.desk
    first = await desk.from_finding(_finding(1, 3))
    assert first
    await desk.decline(WORKSPACE, first.ref, on.people["owner"], "no")
    assert await desk.from_finding(_finding(1, 5)) is None
    again = await desk.from_finding(_finding(1, 6))
    assert again and (again.ref, again.status) == ("P2", S.OFFERED)
    assert again.change == first.change
    await desk.decline(WORKSPACE, again.ref, on.people["owner"], "still no")
    assert await desk.from_finding(_finding(1, 11)) is None
    assert await desk.from_finding(_finding(1, 12))


async def test_so_do_an_expired_one_and_one_that_was_rolled_back(on_sqlite: Stage) -> None:
    on, desk = on_sqlite, on_sqlite.services.desk
    expired = await desk.from_finding(_finding(1, 3))
    on.clock.advance(15 * 86_400)
    await desk.expire(WORKSPACE)
    undone = await desk.from_finding(_finding(2, 3))
    assert expired and undone
    await desk.approve(WORKSPACE, undone.ref, on.people["owner"])
    await desk.rollback(WORKSPACE, undone.ref, on.people["owner"])
    for number in (1, 2):
        assert await desk.from_finding(_finding(number, 5)) is None
        assert await desk.from_finding(_finding(number, 6))


async def test_new_rights_are_known_as_such_when_they_are_drafted(on_sqlite: Stage) -> None:
    gap = replace(
        _finding(1, 6),
        kind=facts.GAP,
        people=2,
        facts={"terms": ["invoice", "vat"]},
    )
    made = await on_sqlite.services.desk.from_finding(gap)
    assert made and (made.kind, made.risk) == (ProposalKind.AGENT_NEW, "owner")
    assert made.finding == "f1"
