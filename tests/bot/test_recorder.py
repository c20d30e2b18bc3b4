"""The run log as a run writes it: kept before the next step, never done twice."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.errors import ModelUnavailable
from bot.events import Events
from bot.model.run import Run, Step, StepKind, Usage
from bot.recorder import Done, RunLog
from bot.redaction import Redactor
from storage.engine import Database
from storage.journal import RunJournal
from storage.runs import RunStore
from tests import samples
from tests.conftest import HeldClock


class Log:
    """Makes run logs of one run and reads what is kept of it."""

    def __init__(self, db: Database, journal: RunJournal, clock: HeldClock, run: Run) -> None:
        self.run, self._journal, self._clock, self._store = run, journal, clock, RunStore(db)

    async def kept(self) -> list[Step]:
        return await self._store.steps("local", self.run.id)

    async def open(self) -> RunLog:
        redactor = Redactor(emails=False)
        logged = await self.kept()
        return RunLog(self.run, self._journal, self._clock, Events(), redactor, logged)


@pytest.fixture
async def log(db: Database, clock: HeldClock) -> AsyncIterator[Log]:
    journal = RunJournal(db)
    journal.start()
    run = samples.run()
    await journal.accept(run)
    yield Log(db, journal, clock, run)
    await journal.close()


async def _say(
    runlog: RunLog, output: Any, kind: StepKind = StepKind.MODEL, name: str = "m"
) -> Any:
    async def work() -> Done:
        return Done(output, Usage(1, 1, 0, 0.5))

    return await runlog.step(kind, name, {"messages": 1}, work)


async def test_a_step_is_kept_before_the_next_begins(log: Log) -> None:
    runlog = await log.open()
    await _say(runlog, "first")
    assert await log.kept() == []

    async def work() -> Done:
        assert [step.output for step in await log.kept()] == ["first"]
        return Done("second")

    assert await runlog.step(StepKind.TOOL, "calculator", None, work) == "second"
    steps, spend = runlog.take_pending()
    assert [step.seq for step in steps] == [1] and spend == ()


async def test_a_resumed_run_does_nothing_that_has_a_result(log: Log) -> None:
    before = await log.open()
    await _say(before, "first")
    await _say(before, "used", StepKind.TOOL, "calculator")
    await before.flush()
    after = await log.open()
    assert await _say(after, "another", name="other-model") == "first"
    assert await _say(after, "again", StepKind.TOOL, "calculator") == "used"
    assert await _say(after, "third") == "third"
    assert [step.seq for step in after.take_pending()[0]] == [2]
    assert after.usage.cost_usd == 1.5


async def test_a_failed_call_is_kept_with_its_cost_and_done_again(log: Log) -> None:
    runlog = await log.open()

    async def work() -> Done:
        error = ModelUnavailable("cut off, key sk-proj-abcdefghijklmnopqrstuvwxyz0123456789")
        error.usage = Usage(5, 0, 0, 0.1)
        raise error

    with pytest.raises(ModelUnavailable):
        await runlog.step(StepKind.MODEL, "m", None, work)
    await runlog.flush()
    kept = (await log.kept())[0]
    assert (kept.error_type, kept.usage.cost_usd) == ("model_unavailable", 0.1)
    assert "abcdefghij" not in kept.error_message
    assert await _say(await log.open(), "now") == "now"
