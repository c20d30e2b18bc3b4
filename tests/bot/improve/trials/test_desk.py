"""Trials over real stores: begun, queued, paused, stopped, ended; cut off at every step."""

import asyncio
from dataclasses import replace

import pytest

from bot.digest.facts import gather, window_to
from bot.digest.telling import digest
from bot.errors import Conflict, Forbidden
from bot.home import page
from bot.improve.trials.following import LONGEST_GAP_MS
from bot.model.message import Reply
from bot.model.proposal import ProposalStatus
from bot.model.run import RunStatus
from bot.model.trial import Arm, TrialStatus
from tests.bot.improve.trials.tried import Tried
from tests.commands.stage import WORKSPACE

_P, _T = ProposalStatus, TrialStatus
_DAY = 86_400


async def test_approval_begins_a_trial_and_says_what_happens(on: Tried) -> None:
    said = await on.approved()
    assert "It is tried as T1 beside generalist v1" in said.text
    trial, proposal = await on.trial(), await on.proposal()
    assert (trial.status, trial.share, trial.home) == (_T.RUNNING, 0.1, "c1")
    assert trial.ends_at == trial.started_at + 14 * _DAY * 1000
    assert (proposal.status, proposal.applied) == (_P.TRIALLED, {"trial": "T1"})
    card = on.stage.post.cards["local/P1"].card
    assert card and card.status.endswith("It is tried beside what is in use, as T1.")
    assert (await on.agent()).version == 1


async def test_approving_twice_at_once_makes_one_trial(on: Tried) -> None:
    run = await on.stage.asked("Hello", "Hi")
    await on.stage.say("member", f"/better {run.short} lesson: be brief")
    await asyncio.gather(*(on.say("/approve P1") for _ in range(4)), return_exceptions=True)
    trials = await on.stage.services.trials.list(WORKSPACE)
    assert [t.ref for t in trials] == ["T1"]
    assert (await on.proposal()).status is _P.TRIALLED


async def test_a_fact_is_true_or_not_and_is_not_tried(on: Tried) -> None:
    assert "Remembered as M1" in (await on.approved("our office is in Graz")).text
    assert (await on.proposal()).status is _P.APPROVED
    assert await on.stage.services.trials.list(WORKSPACE) == []


async def test_its_caps_are_twice_what_the_incumbent_took(on: Tried) -> None:
    for _ in range(12):
        await on.stage.asked("Hello", "Hi")
    await on.approved()
    assert (await on.trial()).caps == {"latency_ms": 2400.0}


async def test_what_is_better_is_put_into_use_and_told_once(on: Tried) -> None:
    await on.approved()
    await on.decided(better=True)
    assert await on.look() == "1 looked at, 0 started, 1 ended"
    assert await on.look() == "0 looked at, 0 started, 0 ended"
    proposal = await on.proposal()
    assert (await on.trial()).status is _T.KEPT
    assert proposal.status is _P.KEPT and proposal.decided_by == on.stage.people["owner"].id
    assert (await on.agent()).version == 2
    [verdict] = on.verdicts()
    assert "✅ **P1**" in verdict and "generalist v2 is in use" in verdict
    card = on.stage.post.cards["local/P1"].card
    assert card and card.status.startswith("Stays") and "generalist v2 is in use" in card.status
    channel, address, _ = next(iter(on.stage.post.placed.values()))
    assert (channel, address) == ("slack", {"channel": "C1", "thread_ts": "1.1"})
    assert "generalist is back to v1" in (await on.say("/rollback P1")).text


async def test_what_is_worse_goes_and_its_card_says_so(on: Tried) -> None:
    await on.approved()
    await on.decided(better=False)
    await on.look()
    assert ((await on.trial()).status, (await on.trial()).reason) == (_T.ROLLED_BACK, "harm")
    assert (await on.proposal()).status is _P.ROLLED_BACK
    assert (await on.agent()).version == 1
    card = on.stage.post.cards["local/P1"].card
    assert card and card.status.startswith("Rolled back, 20")
    assert "Answers got worse with it (T1: " in card.status


async def test_a_candidate_that_only_fails_goes_at_once(on: Tried) -> None:
    await on.approved()
    await on.rated(3, 0, Arm.INCUMBENT)
    trial = await on.trial()
    for number in range(4):
        await on.stage.asked(
            "What?",
            conversation=f"f{number}",
            trial=trial.id,
            arm="candidate",
            propensity=0.5,
            status=RunStatus.FAILED,
            error_type="model",
        )
        await on.rated(1, 0, Arm.INCUMBENT)
    await on.look()
    assert (await on.trial()).reason == "errors"
    assert "Runs failed with it" in on.verdicts()[0]


async def test_after_its_time_the_old_version_stays_and_it_says_why(on: Tried) -> None:
    await on.approved()
    await on.rated(1, 1, Arm.CANDIDATE)
    for _ in range(15):
        on.stage.clock.advance(_DAY)
        await on.look()
    assert (await on.trial()).status is _T.ROLLED_BACK
    [verdict] = on.verdicts()
    assert "generalist stays at v1. Not enough data yet." in verdict


@pytest.mark.parametrize("jump", [400 * _DAY, -400 * _DAY])
async def test_a_clock_that_jumps_neither_ends_it_nor_keeps_it_for_ever(
    on: Tried, jump: int
) -> None:
    await on.approved()
    on.stage.clock.advance(60)
    await on.look()
    on.stage.clock.advance(jump)
    await on.look()
    trial = await on.trial()
    assert trial.status is _T.RUNNING
    left = trial.ends_at - on.stage.clock.now()
    assert 0 <= 14 * _DAY * 1000 - left <= LONGEST_GAP_MS + 120_000
    for _ in range(15):
        on.stage.clock.advance(_DAY)
        await on.look()
    assert (await on.trial()).status is _T.ROLLED_BACK


async def test_one_at_a_time_for_an_agent_and_several_agents_side_by_side(on: Tried) -> None:
    await on.approved()
    said = await on.approved("lesson: be kind", ref="P2")
    assert "It is tried as T2 once the trial of generalist before it has ended" in said.text
    await on.approved("lesson: sign it", agent="writer", ref="P3")
    states = [(await on.trial(ref)).status for ref in ("T1", "T2", "T3")]
    assert states == [_T.RUNNING, _T.QUEUED, _T.RUNNING]
    await on.decided(better=True)
    await on.look()
    second = await on.trial("T2")
    assert second.status is _T.RUNNING
    assert second.base == {"generalist": 2}
    made = await on.stage.services.agents.version(
        WORKSPACE, "generalist", second.overlay["generalist"]
    )
    assert made and [b.text for b in made.playbook] == ["be brief", "be kind"]


async def test_of_those_that_wait_the_best_begins_first(on: Tried) -> None:
    await on.approved()
    for ref, words in (("P2", "be kind"), ("P3", "be exact")):
        await on.approved(f"lesson: {words}", ref=ref)
    async with on.stage.db.write() as conn:
        from_sql = "UPDATE proposals SET rank = 9 WHERE number = 3"
        await conn.exec_driver_sql(from_sql)
    await on.say("/rollback P1")
    await on.look()
    assert (await on.trial("T3")).status is _T.RUNNING
    assert (await on.trial("T2")).status is _T.QUEUED


async def test_an_edit_under_it_stops_it(on: Tried) -> None:
    await on.approved()
    await on.rated(3, 1, Arm.CANDIDATE)
    await on.edited()
    await on.look()
    assert ((await on.trial()).status, (await on.trial()).reason) == (_T.STOPPED, "edited")
    assert (await on.proposal()).status is _P.SUPERSEDED
    assert (await on.agent()).version == 3
    assert "was changed under it" in on.verdicts()[0]
    again = await on.approved(ref="P2")
    assert "tried as T2 beside generalist v3" in again.text


async def test_a_protected_agent_is_tried_no_further(on: Tried) -> None:
    await on.approved()
    await on.approved("lesson: be kind", ref="P2")
    await on.say("/protect generalist")
    assert ((await on.trial()).status, (await on.trial()).reason) == (_T.STOPPED, "protected")
    assert (await on.trial("T2")).reason == "protected"
    assert (await on.proposal("P2")).status is _P.SUPERSEDED


async def test_a_retired_agent_ends_its_trial(on: Tried) -> None:
    await on.approved(agent="writer")
    await on.stage.services.agents.retire(WORKSPACE, "writer", base=1)
    await on.look()
    assert (await on.trial()).status is _T.STOPPED


@pytest.mark.parametrize(
    ("stop", "go"),
    [("/freeze", "/unfreeze"), ("/agents pause generalist", "/agents resume generalist")],
)
async def test_it_pauses_and_goes_on_with_what_it_had(on: Tried, stop: str, go: str) -> None:
    await on.approved()
    await on.rated(4, 2, Arm.CANDIDATE)
    await on.look()
    before = await on.trial()
    await on.say(stop)
    assert (await on.trial()).status is _T.PAUSED
    assert "T1" in (await on.say("/trials")).text and "pauses" in (await on.say("/trials")).text
    on.stage.clock.advance(30 * _DAY)
    await on.look()
    assert (await on.trial()).status is _T.PAUSED
    await on.say(go)
    after = await on.trial()
    assert after.status is _T.RUNNING
    assert after.numbers == before.numbers
    left = after.ends_at - on.stage.clock.now()
    assert abs(left - (before.ends_at - before.looked_at)) < 60_000


async def test_frozen_after_its_verdict_it_is_put_into_use_afterwards(on: Tried) -> None:
    await on.approved()
    await on.decided(better=True)
    trial = await on.trial()
    await on.stage.services.trials.move(
        replace(trial, ended_at=on.stage.clock.now(), reason="better"), _T.KEPT
    )
    await on.say("/freeze")
    assert (await on.agent()).version == 1
    await on.say("/unfreeze")
    assert (await on.agent()).version == 2
    assert (await on.proposal()).status is _P.KEPT


@pytest.mark.parametrize("installed", [False, True])
async def test_cut_off_after_its_verdict_it_is_finished_by_the_next_look(
    on: Tried, installed: bool
) -> None:
    """What is in the database when a process is killed before, and after, it put it into use."""
    await on.approved()
    await on.decided(better=True)
    trial, services = await on.trial(), on.stage.services
    await services.trials.move(
        replace(trial, ended_at=on.stage.clock.now(), reason="better"), _T.KEPT
    )
    if installed:
        await services.agents.swap(WORKSPACE, trial.base, trial.overlay)
    await on.look()
    assert (await on.agent()).version == 2
    assert (await on.proposal()).status is _P.KEPT
    assert len(on.verdicts()) == 1
    await on.look()
    assert len(on.verdicts()) == 1
    history = await services.agents.history(WORKSPACE, "generalist")
    assert [made.version.version for made in history] == [1, 2]


async def test_cut_off_before_its_trial_was_made_it_is_begun_by_settling(on: Tried) -> None:
    run = await on.stage.asked("Hello", "Hi")
    await on.stage.say("member", f"/better {run.short} lesson: be brief")
    services, offered = on.stage.services, await on.proposal()
    owner = on.stage.people["owner"].id
    approved = await services.proposals.move(WORKSPACE, offered, _P.APPROVED, by=owner, at=5)
    # The versions and the trial's row are there, and the proposal isn't moved yet.
    await services.trying.begin(approved)
    async with on.stage.db.write() as conn:
        await conn.exec_driver_sql("UPDATE proposals SET status = 'approved', applied = NULL")
    assert await services.desk.settle(WORKSPACE) == 1
    assert (await on.proposal()).status is _P.TRIALLED
    assert [t.ref for t in await services.trials.list(WORKSPACE)] == ["T1"]


async def test_changed_between_verdict_and_use_nothing_is_overwritten(on: Tried) -> None:
    await on.approved()
    await on.decided(better=True)
    trial = await on.trial()
    await on.stage.services.trials.move(
        replace(trial, ended_at=on.stage.clock.now(), reason="better"), _T.KEPT
    )
    await on.edited()
    await on.look()
    assert (await on.proposal()).status is _P.SUPERSEDED
    assert (await on.agent()).instructions.endswith("And be kind.")


async def test_changed_on_top_of_what_was_put_into_use_it_has_stayed(on: Tried) -> None:
    """Killed after the version came into use, and before that was written down."""
    await on.approved()
    await on.decided(better=True)
    trial, services = await on.trial(), on.stage.services
    await services.trials.move(
        replace(trial, ended_at=on.stage.clock.now(), reason="better"), _T.KEPT
    )
    await services.agents.swap(WORKSPACE, trial.base, trial.overlay)
    await on.edited()
    await on.look()
    assert (await on.proposal()).status is _P.KEPT
    assert "stays" in on.verdicts()[0]
    assert "later changes kept" in (await on.say("/rollback P1")).text
    assert (await on.agent()).playbook == ()


async def test_protected_between_verdict_and_use_it_is_not_put_into_use(on: Tried) -> None:
    await on.approved()
    await on.decided(better=True)
    trial = await on.trial()
    await on.stage.services.trials.move(
        replace(trial, ended_at=on.stage.clock.now(), reason="better"), _T.KEPT
    )
    await on.say("/freeze")
    await on.say("/protect generalist")
    await on.say("/unfreeze")
    assert (await on.agent()).version == 1
    assert (await on.proposal()).status is _P.SUPERSEDED
    assert "is protected now" in on.verdicts()[0]


async def test_none_begins_on_a_version_that_is_about_to_go(on: Tried) -> None:
    """Approved between another one's verdict and its version's coming into use."""
    await on.approved()
    await on.decided(better=True)
    trial = await on.trial()
    await on.stage.services.trials.move(
        replace(trial, ended_at=on.stage.clock.now(), reason="better"), _T.KEPT
    )
    await on.approved("lesson: be kind", ref="P2")
    assert (await on.trial("T2")).status is _T.QUEUED
    await on.look()
    second = await on.trial("T2")
    assert (second.status, second.base) == (_T.RUNNING, {"generalist": 2})


async def test_two_nodes_that_look_at_once_do_it_once(on: Tried) -> None:
    await on.approved()
    await on.decided(better=True)
    await asyncio.gather(*(on.look() for _ in range(4)))
    assert (await on.proposal()).status is _P.KEPT
    assert (await on.agent()).version == 2
    assert len(on.verdicts()) == 1


async def test_who_may_stop_it(on: Tried) -> None:
    await on.approved()
    for who in ("member", "guest"):
        with pytest.raises(Forbidden):
            await on.say("/trial T1 stop", who)
    assert "is stopped, and P1 with it" in (await on.say("/trial t1 stop", "approver")).text
    assert (await on.trial()).status is _T.ROLLED_BACK
    assert "has ended already" in (await on.say("/trial T1 stop")).text
    assert on.verdicts() == []
    with pytest.raises(Conflict):
        await on.say("/rollback P1")


@pytest.mark.parametrize("looked", [False, True])
@pytest.mark.parametrize("again", ["/trial T1 stop too slow", "/rollback P1 too slow"])
async def test_cut_off_while_it_is_stopped_by_hand_it_is_taken_back_all_the_same(
    on: Tried, again: str, looked: bool
) -> None:
    """The trial's row is moved, and the proposal isn't: the command is run again, perhaps after
    the job has found it."""
    await on.approved()
    approver = on.stage.people["approver"]
    proposal = await on.proposal()
    await on.stage.services.trying.end_by_hand(proposal, approver.id, "too slow")
    if looked:
        await on.look()
        assert (await on.proposal()).status is _P.ROLLED_BACK
    said = (await on.say(again, "approver")).text
    assert "too slow" in said and "T1 has ended: generalist stays at v1." in said
    proposal = await on.proposal()
    assert (proposal.status, proposal.decided_by) == (_P.ROLLED_BACK, approver.id)
    assert proposal.reason == "too slow. T1 has ended: generalist stays at v1."
    assert on.verdicts() == []
    assert "has ended already" in (await on.say("/trial T1 stop")).text


async def test_the_digest_the_home_page_and_the_status_tell_of_it(on: Tried) -> None:
    services = on.stage.services
    await on.approved()
    week = window_to("weekly", on.stage.clock.now() + 1, "UTC")
    facts = await gather(services, WORKSPACE, week)
    assert [t.ref for t in facts.trials] == ["T1"] and facts.learned == ()
    assert "**On trial**" in _body(digest(facts, week.until))
    assert "On trial: **T1**" in (await on.say("/status")).text
    await on.decided(better=True)
    await on.look()
    week = window_to("weekly", on.stage.clock.now() + 1, "UTC")
    body = _body(digest(await gather(services, WORKSPACE, week), week.until))
    assert "**Tried, side by side**" in body and "0% → 100% good" in body
    assert "no control group" not in body
    owner = on.stage.people["owner"]
    [section] = [s for s in await page(services, WORKSPACE, owner) if "on trial" in s.title]
    assert "kept: 0% → 100% good" in section.lines[0]


def _body(reply: Reply) -> str:
    assert reply.card
    return reply.card.body
