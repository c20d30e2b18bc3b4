"""/policy and what it decides: who approves, how many, whose words, and what time does."""

import asyncio
from dataclasses import asdict, replace

import pytest
from sqlalchemy import update

from bot.errors import BadInput, Conflict, Forbidden, NotFound
from bot.model.agent import AgentVersion
from bot.model.finding import Finding
from bot.model.memory import ORG
from bot.model.person import Role
from bot.model.proposal import Proposal, ProposalStatus
from storage.tables import proposals
from tests.commands.stage import WORKSPACE, Stage

_TWO = "approvals:\n- {kind: '*', needs: two}"
_DAY = 86_400


@pytest.fixture
async def on(on_each: Stage) -> Stage:
    """Deciding at once is where databases differ."""
    on_each.people["second"] = await on_each.services.people.resolve(
        WORKSPACE, "slack", "U2", "Second", Role.APPROVER
    )
    return on_each


async def _offered(on: Stage, who: str = "member", words: str = "always be brief") -> None:
    await on.asked("Hello", "Hi", by=who)
    await on.say(who, f"/better {words}")


async def _proposal(on: Stage, ref: str = "P1") -> Proposal:
    found = await on.services.proposals.get(WORKSPACE, ref)
    assert found is not None
    return found


async def _generalist(on: Stage) -> AgentVersion:
    agents = await on.services.agents.current(WORKSPACE)
    return next(a for a in agents if a.name == "generalist")


def _fields(on: Stage, ref: str = "P1") -> dict[str, str]:
    card = on.post.cards[f"local/{ref}"].card
    assert card is not None
    return {field.label: field.value for field in card.fields}


async def test_the_policy_is_shown_set_and_restored_by_owners(on: Stage) -> None:
    shown = await on.say("member", "/policy")
    assert "version 0, what I began with" in shown.text and "one approver" in shown.text
    assert [b.command for b in shown.buttons] == ["/policy yaml", "/policy history"]
    assert "```yaml" in (await on.say("member", "/policy yaml")).text
    edit = (await on.say("owner", "/policy")).buttons[0]
    assert edit.command == "/policy set" and "approvals:" in edit.value and edit.asks

    said = await on.say("owner", "/policy set\n```yaml\nguests: chat\n```")
    assert "Version 1" in said.text and "Guests may ask" in said.text
    assert said.buttons[0].command == "/policy restore 0"
    assert "already" in (await on.say("owner", "/policy set guests: chat")).text
    await on.say("owner", f"/policy set {_TWO}")
    assert "two approvers" in (await on.say("member", "/policy")).text
    history = await on.say("member", "/policy history")
    assert "version 2, set by Owner, 2026-" in history.text and "version 0" in history.text
    assert "Guests may ask" in (await on.say("owner", "/policy restore 1")).text
    assert "version 3" in (await on.say("member", "/policy")).text

    for who, words in (("approver", "set guests: chat"), ("member", "restore 1")):
        with pytest.raises(Forbidden):
            await on.say(who, f"/policy {words}")
    with pytest.raises(NotFound):
        await on.say("owner", "/policy restore 9")
    for wrong, hint in (
        ("set guests: nobody", "line 1, guests"),
        ("set", "whole policy"),
        ("hstory", "mean history"),
        ("restore it", "which version"),
    ):
        with pytest.raises(BadInput) as error:
            await on.say("owner", f"/policy {wrong}")
        assert hint in error.value.said
    assert "version 3" in (await on.say("member", "/policy")).text


async def test_who_asked_for_it_is_not_the_only_one_to_approve_it(on: Stage) -> None:
    on.clock.advance(1)  # they are named in the order in which they were met
    await on.services.people.resolve(WORKSPACE, "slack", "U3", "", Role.APPROVER)
    await _offered(on, "approver")
    with pytest.raises(Forbidden) as own:
        await on.say("approver", "/approve P1")
    assert "yourself" in own.value.said
    assert all(name in own.value.said for name in ("Owner", "Second", "slack:U3"))
    assert (await _generalist(on)).version == 1
    await on.say("second", "/approve P1")
    assert (await _generalist(on)).version == 2


async def test_whose_feedback_alone_it_was_found_in_counts_as_asking(on: Stage) -> None:
    run = await on.asked("Hello", "Hi", by="approver")
    await on.say("approver", f"/rate {run.short} down too vague")
    finding = Finding(
        id="f1",
        workspace=WORKSPACE,
        kind="feedback",
        fingerprint="x",
        title="Rated badly",
        detail="lesson: Name the source.",
        evidence=(run.id,),
        agent="generalist",
        count=1,
        status="open",
        created_at=1,
        updated_at=1,
    )
    await on.services.desk.from_finding(finding)
    with pytest.raises(Forbidden) as own:
        await on.say("approver", "/approve P1")
    assert "yourself" in own.value.said
    await on.say("member", f"/rate {run.short} down")
    await on.say("approver", "/approve P1")


async def test_an_owner_who_is_alone_decides_alone(on: Stage) -> None:
    people = on.services.people
    for name in ("approver", "second"):
        await people.set_role(WORKSPACE, on.people[name].id, Role.MEMBER)
    # Whoever sits at this machine can't be asked, and is mostly the same person.
    await people.resolve(WORKSPACE, "local", "owner", "owner", Role.OWNER)
    await _offered(on, "owner")
    await on.say("owner", "/approve P1")
    assert (await _generalist(on)).version == 2


async def test_the_policy_may_let_authors_decide_or_never(on: Stage) -> None:
    await on.say("owner", "/policy set approvals:\n- {needs: one, author: yes}")
    await _offered(on, "approver")
    await on.say("approver", "/approve P1")
    await on.say("owner", "/policy set approvals:\n- {needs: one, author: never}")
    for name in ("approver", "second"):
        await on.services.people.set_role(WORKSPACE, on.people[name].id, Role.MEMBER)
    await _offered(on, "owner", "never be rude")
    with pytest.raises(Forbidden) as alone:
        await on.say("owner", "/approve P2")
    assert "Nobody else here may yet" in alone.value.said
    assert "is declined" in (await on.say("owner", "/decline P2 well")).text


async def test_an_editor_is_an_author_where_the_policy_says_never(on: Stage) -> None:
    await on.say("owner", "/policy set approvals:\n- {needs: one, author: never}")
    await _offered(on)
    await on.say("approver", "/edit P1 always be long")
    with pytest.raises(Forbidden, match="P1"):
        await on.say("approver", "/approve P1.1")
    await on.say("second", "/approve P1.1")
    assert [b.text for b in (await _generalist(on)).playbook] == ["always be long"]


async def test_two_people_approve_and_neither_asked_for_it(on: Stage) -> None:
    await on.say("owner", f"/policy set {_TWO}")
    await _offered(on, "approver")
    with pytest.raises(Forbidden):
        await on.say("approver", "/approve P1")
    first = await on.say("second", "/approve P1")
    assert "noted" in first.text and not first.buttons
    assert _fields(on)["Approved so far"] == "1 of 2: Second"
    assert _fields(on)["May approve"] == "two approvers"
    with pytest.raises(Conflict) as twice:
        await on.say("second", "/approve P1")
    assert "approved P1 already" in twice.value.said
    assert (await _generalist(on)).version == 1
    assert "is approved" in (await on.say("owner", "/approve P1")).text
    assert (await _generalist(on)).version == 2
    card = on.post.cards["local/P1"].card
    assert card and card.status.startswith("Approved by Second and Owner, 2026-")
    assert "is approved" in (await on.say("second", "/approve P1")).text


async def test_two_at_once_decide_once(on: Stage) -> None:
    await on.say("owner", f"/policy set {_TWO}")
    await _offered(on)
    presses = await asyncio.gather(
        *(on.say(who, "/approve P1") for who in ("owner", "second", "second", "owner")),
        return_exceptions=True,
    )
    assert all(not isinstance(p, Exception) or isinstance(p, Conflict) for p in presses), presses
    assert any("is approved" in p.text for p in presses if not isinstance(p, BaseException))
    now = await _generalist(on)
    assert (now.version, len(now.playbook)) == (2, 1)
    assert (await _proposal(on)).status is ProposalStatus.APPROVED


async def test_an_edit_voids_approvals_and_so_does_a_lost_role(on: Stage) -> None:
    await on.say("owner", f"/policy set {_TWO}")
    await _offered(on)
    await on.say("second", "/approve P1")
    await on.say("owner", "/edit P1 always be long")
    await on.say("owner", "/edit P1.1 always be brief")
    assert "Approved so far" not in _fields(on)
    assert "noted" in (await on.say("approver", "/approve P1.2")).text
    await on.services.people.set_role(WORKSPACE, on.people["approver"].id, Role.MEMBER)
    assert "noted" in (await on.say("second", "/approve P1.2")).text
    await on.say("owner", "/approve P1.2")
    assert [b.text for b in (await _generalist(on)).playbook] == ["always be brief"]


async def test_what_was_not_seen_is_not_approved(on: Stage) -> None:
    await _offered(on)
    await on.say("approver", "/edit P1 always be long")
    shown = on.post.cards["local/P1"]
    assert [b.command for b in shown.buttons] == ["/approve P1.1", "/edit P1.1", "/decline P1.1"]
    assert _fields(on)["Edited by"] == "Approver"
    assert "before an edit: always be brief" in (await on.say("owner", "/edit P1")).text
    for stale in ("/approve P1", "/approve P1.0", "/decline P1.0 no", "/edit P1.0 x"):
        again = await on.say("owner", stale)
        assert "was edited meanwhile by Approver" in again.text, stale
        assert again.card and "always be long" in again.card.diff
        assert again.buttons == shown.buttons
    assert (await _proposal(on)).status is ProposalStatus.OFFERED
    assert [(e["was"], e["now"]) for e in (await _proposal(on)).was] == [
        ("always be brief", "always be long")
    ]
    await on.say("owner", "/approve P1.1")
    assert [b.text for b in (await _generalist(on)).playbook] == ["always be long"]
    with pytest.raises(Conflict):
        await on.say("owner", "/decline P1.1 too late")


async def test_automatic_is_approved_at_once_by_the_policy(on: Stage) -> None:
    await on.say(
        "owner",
        "/policy set approvals:\n- {kind: memory.new, needs: automatic}\n- {needs: owner}",
    )
    await on.asked("Where?", "Here")
    card = await on.say("member", "/better our office is in Graz")
    assert card.card and card.card.status.startswith("Approved by the policy, 2026-")
    assert not card.buttons
    [memory] = await on.services.memories.list(WORKSPACE, [ORG])
    assert memory.text == "our office is in Graz"
    await on.say("member", "/better always be brief")
    with pytest.raises(Forbidden):
        await on.say("approver", "/approve P2")
    await on.say("owner", "/approve P2")
    await on.say("approver", "/rollback P1")
    assert not await on.services.memories.list(WORKSPACE, [ORG])


async def test_a_policy_set_later_decides_nothing_that_waits(on: Stage) -> None:
    await _offered(on)
    await on.say("owner", "/policy set approvals:\n- {needs: automatic}")
    await on.services.desk.settle(WORKSPACE)
    await on.services.desk.follow_up(WORKSPACE)
    assert (await _proposal(on)).status is ProposalStatus.OFFERED
    await on.say("approver", "/approve P1")


async def test_a_press_after_its_time_is_told_so(on: Stage) -> None:
    await on.say("owner", "/policy set expire_after: 2d")
    await _offered(on)
    on.clock.advance(2 * _DAY)
    for saying in ("/approve P1", "/decline P1 no", "/edit P1 more"):
        with pytest.raises(Conflict) as late:
            await on.say("owner", saying)
        assert "Expired" in late.value.said and "nobody decided in time" in late.value.said
    assert (await _proposal(on)).status is ProposalStatus.EXPIRED
    assert on.post.cards["local/P1"].buttons == ()


async def test_expiry_does_what_the_policy_says(on: Stage) -> None:
    await on.say("owner", "/policy set expire_after: 1d\nat_expiry: wait")
    await _offered(on)
    on.clock.advance(3 * _DAY)
    assert await on.services.desk.expire(WORKSPACE) == 0
    await on.say("owner", "/approve P1")

    rules = "approvals:\n- {kind: memory.new, needs: two}\n- {needs: one}"
    await on.say("owner", f"/policy set {rules}\nexpire_after: 1d\nat_expiry: approve")
    await _offered(on, words="never shout")
    await _offered(on, words="our office is in Graz")
    on.clock.advance(_DAY + 1)
    assert await on.services.desk.expire(WORKSPACE) == 2
    approved, declined = await _proposal(on, "P2"), await _proposal(on, "P3")
    assert approved.status is ProposalStatus.APPROVED and approved.applied
    assert declined.status is ProposalStatus.EXPIRED
    card = on.post.cards["local/P2"].card
    assert card and card.status.startswith("Approved by the policy")


async def test_what_can_not_be_approved_any_more_expires_all_the_same(on: Stage) -> None:
    await on.say("owner", "/policy set expire_after: 1d\nat_expiry: approve")
    await _offered(on)
    gone = replace((await _proposal(on)).change, agent="nobody", bullet="be brief")
    async with on.db.write() as conn:
        await conn.execute(update(proposals).values(change=asdict(gone)))
    on.clock.advance(_DAY + 1)
    assert await on.services.desk.expire(WORKSPACE) == 1
    assert (await _proposal(on)).status is ProposalStatus.EXPIRED


async def test_nobody_below_decides_whatever_the_policy_says(on: Stage) -> None:
    await on.say("owner", "/policy set approvals:\n- {needs: one, author: yes}\nguests: chat")
    await _offered(on)
    for who in ("member", "guest"):
        for saying in ("/approve P1", "/decline P1", "/edit P1 x"):
            with pytest.raises(Forbidden):
                await on.say(who, saying)
        with pytest.raises(Forbidden):
            await on.services.desk.approve(WORKSPACE, "P1", on.people[who])
    assert (await _proposal(on)).status is ProposalStatus.OFFERED
