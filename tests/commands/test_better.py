"""/better and what follows: the card, the decision, the change, and the way back."""

import asyncio

import pytest

from bot.errors import BadInput, Conflict, Forbidden, NotFound
from bot.model.agent import AgentVersion
from bot.model.memory import ORG
from bot.model.run import RunKind
from tests import samples
from tests.commands.stage import WORKSPACE, Stage


@pytest.fixture
async def on(on_each: Stage) -> Stage:
    """Deciding at once is where databases differ."""
    return on_each


async def _generalist(on: Stage) -> AgentVersion:
    agents = await on.services.agents.current(WORKSPACE)
    return next(a for a in agents if a.name == "generalist")


async def _recalled(on: Stage, question: str) -> list[str]:
    found = await on.services.memory.recall(WORKSPACE, [ORG], question)
    return [r.memory.text for r in found]


async def test_a_fact_is_proposed_approved_remembered_and_forgotten_again(on: Stage) -> None:
    run = await on.asked("What is our refund period?", "14 days.")
    card = await on.say("member", "/better our refund period is 30 days")
    assert card.card is not None
    assert card.card.ref == "P1"
    assert card.card.diff == "+our refund period is 30 days"
    assert [b.command for b in card.buttons] == ["/approve P1", "/edit P1", "/decline P1"]
    assert [p.card for p in on.post.posted.values()] == [card.card]
    assert await _recalled(on, "refund period?") == []
    rated = await on.services.runs.get(WORKSPACE, run.id)
    assert rated is not None
    assert (rated.outcome.y, rated.outcome.source) == (0.0, "rating")

    approved = await on.say("approver", "/approve P1")
    assert "M1" in approved.text
    assert await _recalled(on, "refund period?") == ["our refund period is 30 days"]
    shown = on.post.cards["local/P1"]
    assert shown.buttons == ()
    assert shown.card is not None
    assert shown.card.status.startswith("Approved by Approver, 2026-")

    undone = await on.say("approver", "/rollback P1")
    assert "M1 is forgotten" in undone.text
    assert await _recalled(on, "refund period?") == []


async def test_a_lesson_becomes_a_version_of_the_agent_that_answered(on: Stage) -> None:
    await on.asked("Sum it up", "A long text")
    await on.say("member", "/better always answer in two sentences")
    said = await on.say("owner", "/approve P1")
    assert "generalist v2 is in use" in said.text
    now = await _generalist(on)
    assert [(b.text, b.source) for b in now.playbook] == [("always answer in two sentences", "P1")]
    undone = await on.say("owner", "/rollback p1 too short.")
    assert undone.text == "↩️ P1 is rolled back (too short). generalist is back to v1."
    assert (await _generalist(on)).version == 1
    proposal = await on.services.proposals.get(WORKSPACE, "P1")
    assert proposal is not None
    assert proposal.reason == "too short. generalist is back to v1."


async def test_a_rollback_keeps_what_was_learned_later(on: Stage) -> None:
    await on.asked("Hello", "Hi")
    for words in ("be polite", "be brief"):
        await on.say("member", f"/better {words}")
    await on.say("owner", "/approve P1")
    await on.say("owner", "/approve P2")
    await on.say("owner", "/rollback P1")
    now = await _generalist(on)
    assert (now.version, [b.text for b in now.playbook]) == (4, ["be brief"])
    await on.say("owner", "/rollback P2")
    assert (await _generalist(on)).playbook == ()


async def test_without_words_it_asks(on: Stage) -> None:
    run = await on.asked("Hello", "Hi")
    reply = await on.say("member", "/better")
    assert reply.buttons[0].command == f"/better {run.short}"
    assert reply.buttons[0].asks
    assert await on.services.proposals.list(WORKSPACE) == []


async def test_a_run_can_be_named_and_must_be_theirs_to_see(on: Stage) -> None:
    first = await on.asked("One", "1")
    await on.asked("Two", "2")
    await on.say("member", f"/better {first.short} be exact")
    proposal = await on.services.proposals.get(WORKSPACE, "P1")
    assert proposal is not None
    assert proposal.evidence == (first.id,)
    with pytest.raises(NotFound):
        await on.say("other", f"/better {first.id} be vague", conversation="c2")
    with pytest.raises(NotFound):
        await on.say("member", "/better 1a2b3c4d be vague")
    with pytest.raises(NotFound):
        await on.say("member", "/better be vague", conversation="empty")


async def test_said_beside_its_threads_it_means_ones_own_last_run(on: Stage) -> None:
    mine = await on.asked("One", "1", conversation="slack:C1:1.1")
    await on.asked("Two", "2", conversation="slack:C1:2.2", by="other")
    await on.asked("Three", "3", conversation="slack:C10:3.3")
    await on.say("member", "/better be exact", conversation="slack:C1")
    proposal = await on.services.proposals.get(WORKSPACE, "P1")
    assert proposal is not None and proposal.evidence == (mine.id,)


async def test_a_date_in_front_is_words_and_an_unknown_id_is_none(on: Stage) -> None:
    await on.asked("When?", "Soon")
    for unknown in ("00000000", "deadbeef"):
        with pytest.raises(NotFound) as wrong:
            await on.say("member", f"/better {unknown} foo")
        assert wrong.value.said == f"I know no run {unknown} here. /runs lists the latest."
    card = await on.say("member", "/better 20261120 is the day")
    assert card.card is not None
    assert card.card.diff == "+20261120 is the day"


async def test_the_same_saying_resumed_after_a_crash_is_one_proposal(on: Stage) -> None:
    await on.asked("Hello", "Hi")
    said = samples.run(kind=RunKind.COMMAND, person=on.people["member"].id)
    first = await on.say("member", "/better be brief", again=said)
    again = await on.say("member", "/better be brief", again=said)
    assert first == again
    assert len(await on.services.proposals.list(WORKSPACE)) == 1
    assert len(on.post.posted) == 1


async def test_the_same_words_again_lead_to_the_same_card(on: Stage) -> None:
    await on.asked("Hello", "Hi")
    first = await on.say("member", "/better be brief")
    assert await on.say("other", "/better Be  brief.") == first
    await on.say("owner", "/approve P1")
    assert "P1 says that already" in (await on.say("other", "/better be brief")).text


async def test_what_was_declined_is_said_and_not_proposed_again(on: Stage) -> None:
    await on.asked("Hello", "Hi")
    await on.say("member", "/better be rude")
    declined = await on.say("approver", "/decline P1 we are kind here")
    assert "we are kind here" in declined.text
    again = await on.say("member", "/better be rude")
    assert again.card is None
    assert "Declined by Approver" in again.text
    assert "we are kind here" in again.text
    assert len(await on.services.proposals.list(WORKSPACE)) == 1


async def test_what_was_rolled_back_may_be_asked_for_again(on: Stage) -> None:
    await on.asked("Hello", "Hi")
    for number in (1, 2, 3):
        await on.say("member", "/better be brief")
        await on.say("owner", f"/approve P{number}")
        await on.say("owner", f"/rollback P{number}")
    assert len(await on.services.proposals.list(WORKSPACE)) == 3
    assert (await _generalist(on)).playbook == ()


async def test_an_edit_changes_what_approval_does(on: Stage) -> None:
    await on.asked("Hello", "Hi")
    await on.say("member", "/better be brief")
    asks = await on.say("approver", "/edit P1")
    assert "be brief" in asks.text
    assert asks.buttons[0].asks
    card = await on.say("approver", "/edit P1 answer in one paragraph")
    assert card.card is not None
    assert "answer in one paragraph" in card.card.diff
    assert on.post.cards["local/P1"] == card
    await on.say("approver", "/approve P1")
    assert [b.text for b in (await _generalist(on)).playbook] == ["answer in one paragraph"]
    with pytest.raises(Conflict):
        await on.say("approver", "/edit P1 too late")


async def test_a_double_click_is_one_approval_and_the_second_approver_is_told(on: Stage) -> None:
    await on.asked("Hello", "Hi")
    await on.say("member", "/better be brief")
    clicks = await asyncio.gather(
        *(on.say("owner", "/approve P1") for _ in range(3)),
        on.say("approver", "/approve P1"),
        return_exceptions=True,
    )
    assert (await _generalist(on)).version == 2
    late = [c for c in clicks if isinstance(c, Conflict)]
    assert len(late) in (1, 3)
    assert all("is decided already. Approved by" in c.said for c in late)
    with pytest.raises(Conflict, match="P1"):
        await on.say("owner", "/decline P1 changed my mind")


async def test_a_second_click_is_answered_to_whoever_clicked_alone(on: Stage) -> None:
    for number, word in enumerate(("approve", "decline"), 1):
        await on.asked("Hello", "Hi")
        await on.say("member", f"/better be {word}d")
        assert not (await on.say("owner", f"/{word} P{number}")).private
        again = await on.say("owner", f"/{word} P{number}")
        assert again.private and not again.buttons
        assert again.text == (
            f"You decided that already: P{number} is {word.rstrip('e')}ed. Once is enough."
        )


async def test_a_decision_that_is_taken_up_after_a_crash_is_confirmed(on: Stage) -> None:
    await on.asked("Hello", "Hi")
    await on.say("member", "/better be brief")
    said = samples.run(kind=RunKind.COMMAND, created_at=on.clock.now() + 2_000)
    await on.say("owner", "/approve P1")
    on.clock.advance(5)
    assert "✅ P1 is approved." in (await on.say("owner", "/approve P1", again=said)).text


async def test_who_may_not_decide_is_told(on: Stage) -> None:
    await on.asked("Hello", "Hi")
    await on.say("member", "/better be brief")
    for saying in ("/approve P1", "/decline P1 no", "/edit P1 x", "/rollback P1"):
        for who in ("member", "guest"):
            with pytest.raises(Forbidden):
                await on.say(who, saying)
    with pytest.raises(Forbidden):
        await on.say("guest", "/better be brief")


async def test_wrong_references_get_the_right_form(on: Stage) -> None:
    await on.asked("Hello", "Hi")
    await on.say("member", "/better be brief")
    with pytest.raises(BadInput) as wrong:
        await on.say("owner", "/approve the first one")
    assert "The latest is P1" in wrong.value.said
    assert "/approve P12" in wrong.value.said
    with pytest.raises(NotFound) as unknown:
        await on.say("owner", "/approve P99")
    assert "/proposals" in unknown.value.said


async def test_proposals_are_listed_and_shown(on: Stage) -> None:
    assert "no proposals" in (await on.say("member", "/proposals")).text
    await on.asked("Hello", "Hi")
    card = await on.say("member", "/better be brief")
    listed = await on.say("member", "/proposals")
    assert "**P1** Teach generalist: be brief" in listed.text
    assert [b.command for b in listed.buttons] == ["/proposals P1"]
    assert await on.say("member", "/proposals p1") == card
    assert (await on.say("member", "/proposals rolled-back")).buttons == ()
    with pytest.raises(BadInput, match="declined"):
        await on.say("member", "/proposals declind")


async def test_without_its_number_the_latest_proposal_is_named(on: Stage) -> None:
    await on.asked("Hello", "Hi")
    await on.say("member", "/better Always be brief.")
    with pytest.raises(BadInput) as wrong:
        await on.say("owner", "/approve")
    assert "The latest is P1: Teach generalist: Always be brief.\n" in wrong.value.said
