"""Runs end whatever their end holds; the writer outlives every wish it can't fulfil."""

import pytest

from bot.dispatch import ends
from bot.dispatch.closing import Closer
from bot.errors import BadInput
from bot.events import Events
from bot.model.message import Reply
from bot.model.run import Run, RunStatus, Step, StepKind, Usage
from bot.recorder import RunLog
from bot.redaction import Redactor
from storage.engine import Database
from storage.journal import RunJournal
from storage.runs import RunStore
from tests import samples
from tests.conftest import HeldClock

IMPOSSIBLE = 10**30  # more than any database's integer


@pytest.fixture
async def journal(db: Database) -> RunJournal:
    journal = RunJournal(db)
    journal.start()
    return journal


async def test_an_end_that_cannot_be_stored_gives_way_to_one_that_can(
    db: Database, journal: RunJournal, clock: HeldClock
) -> None:
    run = samples.run(status=RunStatus.RUNNING)
    await journal.accept(run)
    log = RunLog(run, journal, clock, Events(), Redactor())
    log.keep(Step(0, StepKind.MODEL, "m", usage=Usage(IMPOSSIBLE, 0, 0, 0.25)))
    recorded: list[str] = []
    closer = Closer(journal, clock, Redactor(), lambda _: False, lambda _: None, recorded.append)
    closed = await closer.close(log, *ends.succeeded(Reply("an answer", run.id)))
    assert closed.status is RunStatus.FAILED and recorded == [run.id]
    kept = await RunStore(db).get(run.workspace, run.id)
    assert kept is not None and kept.status is RunStatus.FAILED
    assert kept.usage.cost_usd == 0.25 and "can't be stored" in kept.error_message
    await journal.close()


async def test_a_message_that_cannot_be_stored_is_refused_and_harms_no_other(
    db: Database, journal: RunJournal
) -> None:
    odd: Run = samples.run(event_id="odd", expires_at=-IMPOSSIBLE)
    with pytest.raises(BadInput, match="can't be stored"):
        await journal.accept(odd)
    assert not (await journal.accept(samples.run(event_id="next"))).duplicate
    await journal.close()
