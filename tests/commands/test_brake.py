"""What may not change: the whole loop, an agent, a version; and who rests."""

import pytest

from bot.errors import BadInput, Conflict, Forbidden, NotFound
from bot.model.agent import AgentVersion
from bot.model.proposal import ProposalStatus
from tests.commands.stage import WORKSPACE, Stage


async def _generalist(on: Stage) -> AgentVersion:
    agents = await on.services.agents.current(WORKSPACE)
    return next(a for a in agents if a.name == "generalist")


async def _offered(on: Stage, words: str) -> None:
    await on.asked("Hello", "Hi")
    await on.say("member", f"/better {words}")


async def test_while_it_is_frozen_approvals_are_noted_and_go_on_afterwards(on: Stage) -> None:
    await _offered(on, "always be brief")
    await _offered(on, "our office is in Graz")
    assert "is frozen" in (await on.say("owner", "/freeze audit")).text
    assert "(audit)" in (await on.say("owner", "/freeze again")).text
    for ref in ("P1", "P2"):
        said = await on.say("owner", f"/approve {ref}")
        assert "It waits: the loop is frozen" in said.text
    card = on.post.cards["local/P1"].card
    assert card and card.status.endswith("It waits: the loop is frozen.")
    assert await on.services.desk.settle(WORKSPACE) == 2
    assert (await _generalist(on)).playbook == ()
    assert await on.services.memories.total(WORKSPACE) == 0

    said = await on.say("owner", "/unfreeze")
    assert "going on now: P1, P2" in said.text
    assert await on.services.memories.total(WORKSPACE) == 1
    found = await on.services.proposals.get(WORKSPACE, "P1")
    assert found and found.applied
    assert "isn't frozen" in (await on.say("owner", "/unfreeze")).text


async def test_what_waits_while_it_is_frozen_can_be_taken_back(on: Stage) -> None:
    await _offered(on, "always be brief")
    await on.say("owner", "/freeze")
    await on.say("owner", "/approve P1")
    assert "It was not in use yet" in (await on.say("owner", "/rollback P1")).text
    await on.say("owner", "/unfreeze")
    assert (await _generalist(on)).version == 1


@pytest.mark.parametrize("gone", [True, False])
async def test_what_waited_and_cannot_be_done_any_more_ends(on: Stage, gone: bool) -> None:
    """Its agent has left, or is protected, meanwhile."""
    run = await on.asked("Hello", "Hi", agent="writer")
    await on.say("member", f"/better {run.short} lesson: be brief")
    await on.say("owner", "/freeze")
    await on.say("owner", "/approve P1")
    if gone:
        await on.services.agents.retire(WORKSPACE, "writer", base=1)
    else:
        await on.say("owner", "/protect writer")
    said = (await on.say("owner", "/unfreeze")).text
    assert "P1 was approved meanwhile and ends: " in said and "going on now" not in said
    found = await on.services.proposals.get(WORKSPACE, "P1")
    assert found and found.status is ProposalStatus.SUPERSEDED
    card = on.post.cards["local/P1"].card
    assert card and card.status.startswith("Superseded")
    agents = await on.services.agents.current(WORKSPACE)
    assert [a.version for a in agents if a.name == "writer"] == ([] if gone else [1])
    assert await on.services.desk.settle(WORKSPACE) == 0


async def test_what_waits_for_an_agent_that_has_left_can_be_taken_back(on: Stage) -> None:
    run = await on.asked("Hello", "Hi", agent="writer")
    await on.say("member", f"/better {run.short} lesson: be brief")
    await on.say("owner", "/freeze")
    await on.say("owner", "/approve P1")
    await on.services.agents.retire(WORKSPACE, "writer", base=1)
    await on.services.brake.unfreeze(WORKSPACE)
    assert "It was not in use yet" in (await on.say("owner", "/rollback P1")).text


@pytest.mark.parametrize("what", ["generalist", "generalist v1", "@Generalist V1 as it is"])
async def test_nothing_changes_what_is_protected(on: Stage, what: str) -> None:
    await _offered(on, "always be brief")
    assert "is protected" in (await on.say("owner", f"/protect {what}")).text
    with pytest.raises(Conflict) as refused:
        await on.say("owner", "/approve P1")
    assert "generalist" in refused.value.said and "/unprotect" in refused.value.said
    found = await on.services.proposals.get(WORKSPACE, "P1")
    assert found and found.status is ProposalStatus.OFFERED
    assert "is protected since" in (await on.say("member", "/agents generalist")).text
    assert "may change again" in (await on.say("owner", "/unprotect generalist")).text
    await on.say("owner", "/approve P1")
    assert (await _generalist(on)).version == 2


async def test_another_version_than_the_protected_one_may_change(on: Stage) -> None:
    await _offered(on, "always be brief")
    await on.say("owner", "/approve P1")
    await on.say("owner", "/protect generalist v1")
    await on.say("owner", "/rollback P1")
    assert (await _generalist(on)).version == 1
    await _offered(on, "always be kind")
    with pytest.raises(Conflict):
        await on.say("owner", "/approve P2")


async def test_what_is_protected_is_not_taken_back_either(on: Stage) -> None:
    await _offered(on, "always be brief")
    await on.say("owner", "/approve P1")
    await on.say("owner", "/protect generalist")
    with pytest.raises(Conflict):
        await on.say("owner", "/rollback P1")
    assert (await _generalist(on)).version == 2


async def test_only_owners_brake(on: Stage) -> None:
    for text in ("/freeze", "/unfreeze", "/protect writer", "/unprotect writer"):
        with pytest.raises(Forbidden):
            await on.say("approver", text)
    for text in ("/agents pause writer", "/agents resume writer"):
        with pytest.raises(Forbidden):
            await on.say("member", text)


async def test_an_agent_is_paused_and_shown_so(on: Stage) -> None:
    said = await on.say("owner", "/agents pause @writer too slow")
    assert [b.command for b in said.buttons] == ["/agents resume writer"]
    assert "**@writer** v1" in (await on.say("member", "/agents")).text
    assert "**paused**" in (await on.say("member", "/agents")).text
    assert "(too slow)" in (await on.say("member", "/agents writer")).text
    assert "takes requests again" in (await on.say("owner", "/agents resume writer")).text
    assert "isn't paused" in (await on.say("owner", "/agents resume writer")).text


async def test_who_is_not_there_is_named(on: Stage) -> None:
    with pytest.raises(NotFound, match="wrtier"):
        await on.say("owner", "/agents pause wrtier")
    for text in ("/protect", "/protect wrtier", "/protect writer v9"):
        with pytest.raises(BadInput):
            await on.say("owner", text)
