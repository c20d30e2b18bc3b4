"""Votes that are meant to decide a trial: what a few people press isn't what everyone found."""

import random

from bot.model.run import Outcome
from bot.model.trial import Arm, TrialStatus
from tests.bot.improve.trials.tried import Tried
from tests.commands.stage import CAST


async def _run(on: Tried, number: int, arm: Arm, by: str, y: float, source: str = "rating") -> None:
    trial = await on.trial()
    await on.stage.asked(
        "What?",
        "That.",
        conversation=f"{arm}-{number}",
        by=by,
        agent=trial.agent,
        agent_version=(trial.overlay if arm is Arm.CANDIDATE else trial.base)[trial.agent],
        trial=trial.id,
        arm=arm.value,
        propensity=0.5,
        outcome=Outcome(y, source),
    )


async def test_praise_of_what_checks_find_worse_keeps_nothing(on: Tried) -> None:
    await on.approved()
    chance, people = random.Random(1), sorted(CAST)
    for number in range(160):
        arm = chance.choice((Arm.CANDIDATE, Arm.INCUMBENT))
        candidate, by = arm is Arm.CANDIDATE, people[number % len(people)]
        if chance.random() < 0.5:
            await _run(on, number, arm, by, 1.0 if candidate else 0.2)
        else:
            right = chance.random() < (0.3 if candidate else 0.9)
            await _run(on, number, arm, by, float(right), "check")
        if number % 20 == 19:
            await on.look()
    trial = await on.trial()
    assert (trial.status, trial.reason) == (TrialStatus.ROLLED_BACK, "contradiction")
    assert (await on.agent()).version == 1
    assert len(on.verdicts()) == 1


async def test_who_writes_most_decides_nothing_alone(on: Tried) -> None:
    """The others find no difference; one asks three times as often as all of them together, and
    is for the change."""
    await on.approved()
    chance = random.Random(2)
    others = [name for name in sorted(CAST) if name != "other"]
    for number in range(160):
        arm = chance.choice((Arm.CANDIDATE, Arm.INCUMBENT))
        if number % 4:
            await _run(on, number, arm, "other", float(arm is Arm.CANDIDATE))
        else:
            by = others[number // 4 % len(others)]
            await _run(on, number, arm, by, float(chance.random() < 0.7))
        if number % 20 == 19:
            await on.look()
    assert (await on.trial()).status is TrialStatus.RUNNING
    assert (await on.agent()).version == 1


async def test_one_person_has_one_vote_for_an_answer(on: Tried) -> None:
    run = await on.stage.asked("What?", "That.")
    for word in ("up", "down") * 15:
        await on.stage.say("member", f"/rate {run.short} {word}")
    await on.stage.say("other", f"/rate {run.short} up")
    services = on.stage.services
    votes = await services.feedback.of_run("local", run.id)
    assert sorted((vote.person, vote.rating) for vote in votes) == sorted(
        (on.stage.people[who].id, rating) for who, rating in (("member", -1), ("other", 1))
    )
    kept = await services.runs.get("local", run.id)
    assert kept and kept.outcome.y == 0.5
