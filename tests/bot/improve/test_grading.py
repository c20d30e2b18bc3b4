"""A share of the answers is graded by a job: paid, recorded, and overruled by whoever knows better."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from bot import config, wiring
from bot.app import App
from bot.clock import SystemClock
from bot.improve.agreement import Trust
from bot.model.run import Outcome, Run, StepKind
from bot.ports.stores import Judgement
from tests.bot.dispatch.conftest import PRICES
from tests.bot.dispatch.saying import WORKSPACE, kept, say
from tests.fakes.model_answers import Body, Failure, Turn, Wait
from tests.fakes.model_server import ModelServer

JUDGE = "small#1"


class Ahead(SystemClock):
    """The time of this machine, and so many seconds more."""

    seconds = 0.0

    def now(self) -> int:
        return super().now() + round(self.seconds * 1000)


def judging(body: Body) -> Turn:
    """Answers, and as a judge finds fault with what has no number."""
    system, last = str(body["messages"][0]["content"]), str(body["messages"][-1]["content"])
    if "You grade one recorded answer" not in system:
        return "It is 30 days." if "tents" in last else "Well."
    score = 0.9 if "30" in last else 0.1
    return json.dumps({"score": score, "reason": "It looks for a number."})


@pytest.fixture
def more() -> Mapping[str, str]:
    return {}


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    async with ModelServer(reply=judging) as running:
        yield running


@pytest.fixture
def ahead() -> Ahead:
    return Ahead()


@pytest.fixture
async def app(
    tmp_path: Path, model: ModelServer, more: Mapping[str, str], ahead: Ahead
) -> AsyncIterator[App]:
    (tmp_path / "prices.yml").write_text(PRICES)
    settings = config.load(
        {
            "RATCHET_HOME": str(tmp_path / "home"),
            "RATCHET_MODEL": "small",
            "RATCHET_MODEL_RETRIES": "0",
            "RATCHET_PRICES": str(tmp_path / "prices.yml"),
            "RATCHET_JUDGE_MODEL": "small",
            "RATCHET_JUDGE_SHARE": "1",
            "OPENAI_BASE_URL": model.url,
            "OPENAI_API_KEY": "key-of-the-test",
            **more,
        },
        folder=tmp_path,
    )
    settings.home.mkdir(parents=True)
    async with wiring.open_app(settings, serve=False, clock=ahead) as running:
        await running.settled()
        yield running


async def ticked(app: App, key: str = "1") -> Run:
    """The job's run, closed."""
    run_id = await app.services.jobs.run_now(WORKSPACE, "judge", key)
    run = await app.services.runs.get(WORKSPACE, run_id)
    assert run is not None
    return run


async def judged(app: App, *runs: Run) -> list[float]:
    found = await app.services.judgements.of_runs(WORKSPACE, [run.id for run in runs])
    return [one.y for one in found]


async def prove(app: App, ahead: Ahead, grades: tuple[float, float]) -> None:
    """Twenty answers that people rated and the judge graded so: the good ones, the bad ones."""
    services = app.services
    for n in range(20):
        run, good = await say(app, f"Question {n}"), n % 2 == 0
        await services.runs.set_outcome(WORKSPACE, run.id, Outcome(float(good), "rating"), 1)
        y = grades[0] if good else grades[1]
        await services.judgements.put(WORKSPACE, Judgement(run.id, JUDGE, y, "", ahead.now()))


async def test_answers_are_graded_once_people_had_their_time(
    app: App, ahead: Ahead, model: ModelServer
) -> None:
    good, bad = await say(app, "How long for tents?"), await say(app, "How long for boots?")
    assert (await ticked(app)).answer == "0 answers graded"
    ahead.seconds = 700
    run = await ticked(app, "2")
    assert run.answer == "2 answers graded"
    assert await judged(app, good, bad) == [0.9, 0.1]
    steps = await app.services.runs.steps(WORKSPACE, run.id)
    assert [step.name for step in steps] == [f"judge:{good.id}", f"judge:{bad.id}"]
    assert {step.kind for step in steps} == {StepKind.JUDGE}
    assert run.usage.cost_usd == sum(step.usage.cost_usd or 0 for step in steps) > 0
    calls = len(model.chats)
    assert (await ticked(app, "3")).answer == "0 answers graded"
    assert len(model.chats) == calls
    # Nobody knows yet whether this judge is right: its grades are no outcomes.
    assert (await kept(app, good)).outcome == Outcome()


async def test_a_trusted_judge_speaks_where_nobody_did(app: App, ahead: Ahead) -> None:
    await prove(app, ahead, (0.95, 0.05))
    silent, rated = await say(app, "How long for tents?"), await say(app, "And tents?")
    await app.services.runs.set_outcome(WORKSPACE, rated.id, Outcome(0.0, "rating"), 1)
    ahead.seconds = 700
    await ticked(app)
    assert (await app.services.grading.judging.calibration(WORKSPACE)).trust is Trust.TRUSTED
    assert (await kept(app, silent)).outcome == Outcome(0.9, "judge")
    assert (await kept(app, rated)).outcome == Outcome(0.0, "rating")


async def test_who_speaks_while_it_is_being_judged_is_heard(
    app: App, ahead: Ahead, model: ModelServer
) -> None:
    await prove(app, ahead, (0.95, 0.05))
    run = await say(app, "How long for tents?")
    ahead.seconds = 700
    asked, go_on = len(model.chats), asyncio.Event()
    model.then(Wait(until=go_on))
    ticking = asyncio.create_task(ticked(app))
    while len(model.chats) == asked:
        await asyncio.sleep(0.01)
    await app.services.runs.set_outcome(WORKSPACE, run.id, Outcome(0.0, "rating"), 1)
    go_on.set()
    await ticking
    assert len(await judged(app, run)) == 1
    assert (await kept(app, run)).outcome == Outcome(0.0, "rating")


async def test_a_judge_that_people_contradict_is_not_heard(app: App, ahead: Ahead) -> None:
    await prove(app, ahead, (1.0, 0.9))
    silent = await say(app, "How long for tents?")
    ahead.seconds = 700
    await ticked(app)
    judging = app.services.grading.judging
    assert (await judging.calibration(WORKSPACE)).trust is Trust.MISCALIBRATED
    assert (await kept(app, silent)).outcome == Outcome()
    assert await judging.for_replays(WORKSPACE) is None
    assert await judging.for_trials(WORKSPACE) is None


@pytest.mark.parametrize("more", [{"RATCHET_JUDGE_BUDGET": "0"}])
async def test_its_own_budget_is_asked_first(app: App, ahead: Ahead, model: ModelServer) -> None:
    run = await say(app, "How long for tents?")
    ahead.seconds = 700
    calls = len(model.chats)
    said = (await ticked(app)).answer
    assert said == (
        "0 answers graded; The day's budget for grading (RATCHET_JUDGE_BUDGET) is spent."
    )
    assert len(model.chats) == calls and await judged(app, run) == []


async def test_a_server_that_is_down_is_waited_for(
    app: App, ahead: Ahead, model: ModelServer
) -> None:
    run = await say(app, "How long for tents?")
    ahead.seconds = 700
    model.then(Failure(503, "overloaded"))
    assert (await ticked(app)).answer.startswith("0 answers graded; ")
    assert (await ticked(app, "2")).answer == "1 answer graded"
    assert await judged(app, run) == [0.9]


@pytest.mark.parametrize("more", [{"RATCHET_JUDGE_MODEL": ""}])
async def test_without_a_judge_nothing_is_graded(app: App, ahead: Ahead) -> None:
    await say(app, "How long for tents?")
    ahead.seconds = 700
    assert (await ticked(app)).answer == "0 answers graded; no judge is set"
