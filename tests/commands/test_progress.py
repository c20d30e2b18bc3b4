"""/trials, /trial and /progress: what is tried, what came to stay, and what was measured of it."""

from dataclasses import replace

import pytest

from bot.errors import BadInput, NotFound
from bot.improve.trials import ratchet
from bot.improve.trials.ratchet import Month
from bot.model.proposal import ProposalStatus
from bot.model.run import Outcome
from bot.model.trial import Trial, TrialStatus
from bot.numbers import Totals
from tests.bot.improve.trials.test_telling import NUMBERS, TRIAL
from tests.commands.stage import WORKSPACE, Stage

_DAY = 86_400


async def _tried(on: Stage, status: TrialStatus = TrialStatus.RUNNING) -> Trial:
    made, _ = await on.services.trials.add(
        replace(TRIAL, status=status, ended_at=0, reason="", numbers=NUMBERS)
    )
    return made


async def test_what_is_on_trial_is_listed_and_shown_with_its_numbers(on: Stage) -> None:
    assert "Nothing is on trial" in (await on.say("member", "/trials")).text
    trial = await _tried(on)
    listed = await on.say("member", "/trials")
    assert "**T1** P12 Teach writer: sign it: 119 of 200 runs" in listed.text
    assert [b.command for b in listed.buttons] == ["/trial T1"]
    shown = await on.say("member", "/trial t1")
    assert "81% (58 of 70 runs" in shown.text and shown.picture is None
    assert [b.command for b in shown.buttons] == ["/proposals P12"]
    assert [b.command for b in (await on.say("approver", "/trial 1")).buttons] == [
        "/proposals P12",
        "/trial T1 stop",
    ]
    path = {"path": [[0, 1, 1], [10, 4.0, 0.3], [30, 25.0, 0.01]]}
    await on.services.trials.look(replace(trial, numbers={**NUMBERS, **path}))
    pictured = await on.say("member", "/trial T1")
    assert pictured.picture and pictured.picture.png.startswith(b"\x89PNG")
    ended = replace(await _get(on), status=TrialStatus.RUNNING, reason="better")
    await on.services.trials.move(ended, TrialStatus.KEPT)
    listed = await on.say("member", "/trials")
    assert "Ended last:" in listed.text and "kept. Answers were better with it" in listed.text


async def _get(on: Stage) -> Trial:
    found = await on.services.trials.get(WORKSPACE, "T1")
    assert found
    return found


async def test_a_trial_that_is_not_there_is_said_so(on: Stage) -> None:
    with pytest.raises(NotFound):
        await on.say("member", "/trial T9")
    for text in ("/trial", "/trial nine", "/progress wrtier"):
        with pytest.raises(BadInput):
            await on.say("member", text)
    await _tried(on)
    with pytest.raises(BadInput, match="explode"):
        await on.say("member", "/trial T1 explode")


async def test_the_ratchet_tells_each_step_and_what_it_gained(on: Stage) -> None:
    assert "Nothing has come to stay yet" in (await on.say("member", "/progress")).text
    for words in ("lesson: sign it", "our office is in Graz"):
        run = await on.asked("Hello", "Hi", agent="writer")
        await on.say("member", f"/better {run.short} {words}")
    await on.say("owner", "/approve P1")
    await on.say("owner", "/approve P2")
    said = (await on.say("member", "/progress")).text
    assert "2 steps" in said and said.count("not measured") == 2
    assert (await on.say("member", "/progress")).picture is None
    found = await on.services.proposals.get(WORKSPACE, "P1")
    assert found
    await on.services.proposals.move(WORKSPACE, found, ProposalStatus.KEPT)
    await on.services.trials.add(replace(TRIAL, proposal="P1", status=TrialStatus.KEPT))
    pictured = await on.say("member", "/progress writer")
    said = pictured.text
    assert pictured.picture and pictured.picture.png.startswith(b"\x89PNG")
    assert "**writer v2** P1" in said and "1 step" in said
    assert "66% → 81% good (n=61 and 58), 14% faster, cost the same (T1)" in said


async def test_months_are_compared_by_what_was_measured(on: Stage) -> None:
    async def month(took: int, good: int, runs: int) -> None:
        for number in range(runs):
            now = on.clock.now()
            await on.asked(
                "What?",
                "That.",
                finished_at=now + 1000 + took,
                agent="writer",
                outcome=Outcome(float(number < good), "rating"),
            )

    await month(2000, 15, 30)
    on.clock.advance(31 * _DAY)
    await month(1000, 16, 30)
    said = (await on.say("member", "/progress writer")).text
    assert "measured over 30 runs (30 then)" in said
    assert "50% faster than in May: half of the answers within 1.0 s, 2.0 s then" in said
    assert "no clear difference: success 50% (n=30) → 53% (n=30)" in said
    on.clock.advance(31 * _DAY)
    await month(1000, 1, 3)
    assert "3 runs so far: too few to compare" in (await on.say("member", "/progress")).text


def test_what_is_not_clear_is_not_called_faster() -> None:
    then = Month("May", Totals(runs=40, latencies={900: 20, 1100: 20}, cost_usd=0.4))
    now = Month("June", Totals(runs=40, latencies={880: 20, 1080: 20}, cost_usd=0.8))
    said = "\n".join(ratchet.compared([then, now]))
    assert "no clear difference in time" in said and "faster" not in said
    assert "cost of an answer $0.02, $0.01 then" in said
    assert "not enough to tell yet" in said
    [nothing] = ratchet.compared([Month("May", Totals(runs=3)), now])
    assert "no earlier month" in nothing
