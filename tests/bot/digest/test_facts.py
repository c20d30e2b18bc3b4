"""What a digest is made from: the period's, the workspace's, and nobody's private things."""

from dataclasses import replace
from typing import Any

from bot.digest.facts import Facts, Window, gather
from bot.digest.making import make
from bot.model.memory import ORG, of_user
from bot.model.run import Outcome
from tests.commands.stage import WORKSPACE, Stage

DAY = 86_400


async def week(on: Stage, workspace: str = WORKSPACE) -> Facts:
    now = on.clock.now() + 1
    return await gather(on.services, workspace, Window("weekly", now - 7 * DAY * 1000, now))


async def rated(on: Stage, times: int, good: int, **changes: Any) -> None:
    for number in range(times):
        outcome = Outcome(float(number < good), "rating")
        await on.asked(f"Q{number}", "x", outcome=outcome, **changes)


async def approve_lesson(on: Stage, words: str = "lesson: say the unit") -> str:
    asked = await on.asked("How long is it?", "5")
    await on.say("member", f"/better {asked.short} {words}")
    [newest, *_] = await on.services.proposals.list(WORKSPACE)
    await on.say("owner", f"/approve {newest.ref}")
    return newest.ref


async def test_a_change_is_measured_before_and_after(on: Stage) -> None:
    await rated(on, 40, 20)
    ref = await approve_lesson(on)
    await rated(on, 30, 27, agent_version=2)
    await rated(on, 30, 0, agent="writer")
    [one] = (await week(on)).improved
    assert (one.proposal.ref, one.versions) == (ref, (1, 2))
    # The answer that was complained of counts against the version it came from.
    assert (one.before.scored, one.before.good) == (41, 20)
    assert (one.after.scored, one.after.good) == (30, 27)


async def test_what_is_in_use_is_told_of_again_while_it_works(on: Stage) -> None:
    ref = await approve_lesson(on)
    on.clock.advance(8 * DAY)
    assert (await week(on)).improved == ()
    await rated(on, 1, 1, agent_version=2)
    facts = await week(on)
    assert [one.proposal.ref for one in facts.improved] == [ref]
    assert facts.learned == ()
    on.clock.advance(21 * DAY)
    await rated(on, 1, 1, agent_version=2)
    assert (await week(on)).improved == (), "by now everyone knows"
    # Superseded by another version, it is no longer what works.
    await approve_lesson(on, "lesson: name the source")
    await approve_lesson(on, "lesson: name the author")
    on.clock.advance(8 * DAY)
    await rated(on, 1, 1, agent_version=3)
    assert (await week(on)).improved == ()


async def test_marks_lie_within_the_picture(on: Stage) -> None:
    ref = await approve_lesson(on)
    facts = await week(on)
    [(at, name)] = facts.marks
    assert name == ref and facts.spans[0].since <= at <= facts.window.until
    assert len(facts.spans) == 28
    assert facts.spans[-1].runs == 1
    on.clock.advance(40 * DAY)
    assert (await week(on)).marks == ()


async def test_only_what_is_for_everyone_is_learned(on: Stage) -> None:
    memory = on.services.memory
    await memory.remember(WORKSPACE, ORG, "refunds take 30 days", by="p", source="r", id="m1")
    private = of_user(on.people["member"].id)
    await memory.remember(WORKSPACE, private, "I leave for Peru", by="p", source="r", id="m2")
    await memory.remember("other", ORG, "their secret", by="p", source="r", id="m3")
    await on.asked("My salary is 1", "Your salary is 1")
    await on.say("member", "/better fact: our refund period is 30 days")
    reply, happened = await make(on.services, WORKSPACE, (await week(on)).window)
    assert happened and reply.card
    assert "refunds take 30 days" in reply.card.body
    for secret in ("Peru", "secret", "salary", "refund period"):
        assert secret not in repr(replace(reply, picture=None))


async def test_another_workspace_has_its_own(on: Stage) -> None:
    await rated(on, 3, 3)
    await approve_lesson(on)
    facts = await week(on, "slack:T2")
    assert not facts.happened and facts.marks == ()
    assert all(span.runs == 0 for span in facts.spans)


async def test_what_was_rolled_back_is_told_and_not_praised(on: Stage) -> None:
    ref = await approve_lesson(on)
    await on.say("owner", f"/rollback {ref}")
    facts = await week(on)
    assert [p.ref for p in facts.undone] == [ref]
    assert facts.improved == () and facts.learned == () and facts.marks == ()
