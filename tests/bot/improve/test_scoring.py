"""Whatever comes late updates what is known of a run; what is taken back is taken back."""

import pytest

from bot.clock import SystemIds
from bot.model.feedback import Feedback
from bot.model.run import Outcome, Run, Step, StepKind
from bot.ports.stores import Closed, Judgement
from bot.services import Services
from jobs import analyze
from storage.engine import Database
from tests.conftest import HeldClock
from tests.jobs.desk import with_desk
from tests.jobs.test_analyze import Log

W = "local"


@pytest.fixture
async def services(db: Database, clock: HeldClock, ids: SystemIds) -> Services:
    return await with_desk(db, clock, ids)


@pytest.fixture
def log(db: Database, clock: HeldClock) -> Log:
    return Log(db, clock)


async def rate(services: Services, run: Run, rating: int, person: str = "member") -> None:
    said = (W, run.id, person, rating, "", "thumbs", services.clock.now())
    await services.feedback.put(Feedback(services.ids.run_id(), *said))


async def outcome(services: Services, run: Run) -> Outcome:
    await analyze.work(services, W, "r")
    found = await services.runs.get(W, run.id)
    assert found is not None
    return found.outcome


async def test_a_rating_overrules_a_guess_and_a_guess_comes_back(
    services: Services, log: Log, clock: HeldClock
) -> None:
    asked = await log.write(message="How long is the refund window?")
    clock.advance(60)
    await log.write(message="Who signs the lease of the new office?")
    clock.advance(6)
    assert await outcome(services, asked) == Outcome(0.6, "implicit")
    clock.advance(3600)
    await rate(services, asked, -1)
    assert await outcome(services, asked) == Outcome(0.0, "rating")
    clock.advance(60)
    await rate(services, asked, 0)
    assert await outcome(services, asked) == Outcome(0.6, "implicit")


async def test_a_check_comes_back_once_a_rating_is_gone(
    services: Services, log: Log, clock: HeldClock
) -> None:
    failed = Step(0, StepKind.TOOL, "http_fetch", output="Error: 404", error_type="tool")
    checked = await log.write(failed, outcome=Outcome(0.0, "check"))
    await rate(services, checked, 1)
    assert await outcome(services, checked) == Outcome(1.0, "rating")
    clock.advance(60)
    await rate(services, checked, 0)
    assert await outcome(services, checked) == Outcome(0.0, "check")


async def test_what_people_do_overrules_a_judge(
    services: Services, log: Log, clock: HeldClock
) -> None:
    asked = await log.write(message="How long is the refund window?", outcome=Outcome(0.9, "judge"))
    clock.advance(60)
    await log.write(message="how long is the refund window, please?")
    clock.advance(6)
    assert await outcome(services, asked) == Outcome(0.0, "implicit")


async def test_whoever_votes_a_hundred_times_has_one_vote(
    services: Services, log: Log, clock: HeldClock
) -> None:
    run = await log.write(message="How long is the refund window?")
    await rate(services, run, 1, "other")
    for n in range(100):
        clock.advance(1)
        await rate(services, run, (-1) ** n)
    assert await outcome(services, run) == Outcome(0.5, "rating")
    assert len(await services.feedback.of_run(W, run.id)) == 2
    [found] = await services.evidence.scored(W, Closed, (0, ""), 2**53, 10)
    first = found.scored_at
    clock.advance(60)
    await rate(services, run, 1)
    assert await outcome(services, run) == Outcome(1.0, "rating")
    # However often a mind is changed, detectors see the run come once.
    [found] = await services.evidence.scored(W, Closed, (0, ""), 2**53, 10)
    assert found.scored_at == first


async def test_a_judgement_is_kept_apart_from_what_is_known(
    services: Services, log: Log, clock: HeldClock
) -> None:
    run = await log.write(message="How long is the refund window?")
    await services.judgements.put(W, Judgement(run.id, "small#1", 0.9, "", clock.now()))
    assert await outcome(services, run) == Outcome()
