"""A trial from approval to its verdict, through the whole product."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bot.app import App
from bot.model.agent import AgentVersion
from bot.model.proposal import Proposal, ProposalStatus
from bot.model.run import Outcome, Run
from bot.model.trial import Arm, Trial, TrialStatus
from tests.bot.dispatch.saying import OWNER, WORKSPACE, kept, said, say
from tests.fakes.recording_channel import RecordingChannel

HOME = "slack:C1:1.1"


async def approved(app: App, words: str = "always be brief") -> Run:
    """The member's change, approved by the owner; the run of the approval."""
    await say(app, "@generalist Hello", conversation=HOME)
    card = await say(app, f"/better lesson: {words}", conversation=HOME)
    reply: Any = card.reply
    return await say(app, f"/approve {reply['card']['ref']}", sender=OWNER, conversation=HOME)


async def told(slack: RecordingChannel, words: str) -> Any:
    """The one message that says so, once it has left."""
    for _ in range(300):
        found = [d.reply for d in slack.shown if words in str(d.reply["text"])]
        if found:
            assert len(found) == 1
            return found[0]
        await asyncio.sleep(0.02)
    raise AssertionError(f"nobody said {words!r}")


async def trial(app: App, ref: str = "T1") -> Trial:
    found = await app.services.trials.get(WORKSPACE, ref)
    assert found is not None
    return found


async def proposal(app: App, ref: str = "P1") -> Proposal:
    found = await app.services.proposals.get(WORKSPACE, ref)
    assert found is not None
    return found


async def generalist(app: App) -> AgentVersion:
    agents = await app.services.agents.current(WORKSPACE)
    return next(a for a in agents if a.name == "generalist")


async def evenly(app: App) -> Trial:
    """Half of the new sittings get the candidate from now on."""
    return await app.services.trials.look(replace(await trial(app), share=0.5))


async def scored(app: App, good: dict[Arm, float], sittings: int = 60) -> dict[Arm, int]:
    """A request in each of so many conversations, and what people thought of it."""
    counted = dict.fromkeys(Arm, 0)
    for number in range(sittings):
        run = await say(app, f"@generalist question {number}")
        arm = Arm(run.arm)
        counted[arm] += 1
        y = float(counted[arm] % 10 < good[arm] * 10)
        await app.services.runs.set_outcome(WORKSPACE, run.id, Outcome(y, "rating"), 1)
    return counted


async def test_an_approved_change_is_tried_and_who_asked_for_it_has_it_at_once(
    app: App, slack: RecordingChannel
) -> None:
    answer = await approved(app)
    assert "tried as T1 beside generalist v1" in said(answer)
    assert (await generalist(app)).version == 1
    found = await proposal(app)
    assert found.status is ProposalStatus.TRIALLED and found.decided_run == answer.id
    begun = await trial(app)
    assert (begun.status, begun.overlay, begun.base) == (
        TrialStatus.RUNNING,
        {"generalist": 2},
        {"generalist": 1},
    )
    run = await say(app, "@generalist And now?", conversation=HOME)
    assert (run.agent_version, run.arm, run.propensity) == (2, "candidate", 1.0)
    stored = await kept(app, run)
    assert (stored.trial, stored.arm, stored.propensity) == (begun.id, "candidate", 1.0)
    why = await say(app, f"/why {run.short}", conversation=HOME)
    assert "**Trial** T1: the new version, it was asked for here" in said(why)


async def test_a_sitting_keeps_its_arm_whatever_the_share_becomes(
    app: App, slack: RecordingChannel
) -> None:
    await approved(app)
    await evenly(app)
    first = [await say(app, "@generalist one", conversation=f"c{n}") for n in range(12)]
    assert {run.arm for run in first} == {"candidate", "incumbent"}
    assert {run.propensity for run in first} == {0.5}
    await app.services.trials.look(replace(await trial(app), share=0.01))
    again = [await say(app, "@generalist two", conversation=f"c{n}") for n in range(12)]
    assert [run.arm for run in again] == [run.arm for run in first]
    assert [run.agent_version for run in again] == [run.agent_version for run in first]
    assert {run.propensity for run in again} == {0.5}
    new = [await say(app, "@generalist three", conversation=f"d{n}") for n in range(12)]
    assert {run.propensity for run in new} == {0.01}


async def test_nobody_can_tell_the_arm_from_the_answer(app: App, slack: RecordingChannel) -> None:
    await approved(app)
    await evenly(app)
    runs = [await say(app, "@generalist one") for _ in range(12)]
    assert {run.arm for run in runs} == {"candidate", "incumbent"}
    shown = {str(run.reply["footer"]).split(" · ")[1] for run in runs}
    assert shown == {"trial T1"}
    for run in runs:
        assert f"v{run.agent_version}" not in str(run.reply["footer"])


async def test_requests_that_the_change_does_not_touch_are_not_in_it(
    app: App, slack: RecordingChannel
) -> None:
    await approved(app)
    run = await say(app, "@writer a haiku")
    assert (run.trial, run.arm, run.propensity) == ("", "", None)
    assert "writer v1" in str(run.reply["footer"])


async def test_what_is_better_stays_and_the_verdict_says_so_where_it_was_approved(
    app: App, slack: RecordingChannel
) -> None:
    await approved(app)
    await evenly(app)
    counted = await scored(app, {Arm.CANDIDATE: 1.0, Arm.INCUMBENT: 0.2})
    assert min(counted.values()) > 15
    await app.services.trying.go_on(WORKSPACE)
    ended, found = await trial(app), await proposal(app)
    assert (ended.status, ended.reason) == (TrialStatus.KEPT, "better")
    assert found.status is ProposalStatus.KEPT
    assert found.applied and found.applied["version"] == 2
    assert (await generalist(app)).version == 2
    verdict = await told(slack, "✅ **P1**")
    assert "generalist v2 is in use. Answers were better with it." in verdict["text"]
    assert verdict["buttons"][0]["command"] == "/rollback P1"
    await app.services.trying.go_on(WORKSPACE)
    run = await say(app, "@generalist Hello")
    assert (run.trial, run.agent_version) == ("", 2)
    await say(app, "/rollback P1", sender=OWNER)
    assert (await generalist(app)).version == 1


async def test_what_is_worse_goes_by_itself(app: App, slack: RecordingChannel) -> None:
    await approved(app)
    await evenly(app)
    await scored(app, {Arm.CANDIDATE: 0.1, Arm.INCUMBENT: 0.9}, 40)
    await app.services.trying.go_on(WORKSPACE)
    assert (await trial(app)).reason == "harm"
    assert (await proposal(app)).status is ProposalStatus.ROLLED_BACK
    assert (await generalist(app)).version == 1
    verdict = await told(slack, "Answers got worse")
    assert "generalist stays at v1" in verdict["text"]


async def test_a_trial_is_ended_by_hand_in_one_step(app: App, slack: RecordingChannel) -> None:
    await approved(app)
    undone = await say(app, "/rollback P1 not now", sender=OWNER)
    assert "T1 has ended: generalist stays at v1" in said(undone)
    assert (await trial(app)).status is TrialStatus.ROLLED_BACK
    assert (await proposal(app)).status is ProposalStatus.ROLLED_BACK
    run = await say(app, "@generalist Hello", conversation=HOME)
    assert (run.agent_version, run.trial) == (1, "")


async def test_while_it_is_frozen_nobody_is_assigned(app: App, slack: RecordingChannel) -> None:
    await approved(app)
    await say(app, "/freeze", sender=OWNER)
    run = await say(app, "@generalist Hello", conversation=HOME)
    assert (run.agent_version, run.trial) == (1, "")
    assert (await trial(app)).status is TrialStatus.PAUSED
    await say(app, "/unfreeze", sender=OWNER)
    assert (await trial(app)).status is TrialStatus.RUNNING
    run = await say(app, "@generalist Hello", conversation=HOME)
    assert (run.agent_version, run.arm) == (2, "candidate")


@pytest.mark.parametrize("more", [{"RATCHET_TRIALS": "off"}])
async def test_without_trials_what_is_approved_is_in_use_at_once(
    app: App, slack: RecordingChannel
) -> None:
    assert "generalist v2 is in use" in said(await approved(app))
    assert (await generalist(app)).version == 2
    assert await app.services.trials.list(WORKSPACE) == []
