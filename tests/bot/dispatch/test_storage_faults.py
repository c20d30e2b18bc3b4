"""A database that can't: locked for a while, or full. Nothing is lost, the sender is told."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bot.app import App
from bot.errors import StorageError
from bot.model.run import RunStatus, StepKind
from storage.journal import RunJournal
from tests.bot.dispatch.saying import WORKSPACE, ended, kept, message, said, say, start, steps
from tests.fakes.model_server import Answer, ModelServer, Wait
from tests.fakes.recording_channel import RecordingChannel

CALCULATOR = (("calculator", '{"expression": "1+1"}'),)


@contextmanager
def locked(app: App) -> Iterator[None]:
    """Another process holds the database for the length of the block."""
    other = sqlite3.connect(app.services.settings.home / "ratchet.sqlite", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


async def set_pragma(app: App, words: str) -> int:
    """On the connection that writes the run log; what SQLite answers."""
    journal: RunJournal = vars(app.inbox)["_journal"]

    def work(conn: Any) -> int:
        return int(conn.exec_driver_sql(f"PRAGMA {words}").scalar_one())

    return await journal.write(work)


async def fill(app: App) -> None:
    """From now on no page can be added."""
    await set_pragma(app, f"max_page_count={await set_pragma(app, 'page_count')}")


async def make_room(app: App, journal: RunJournal) -> None:
    """Past the failing writer: room is made by someone else, as with a real disk."""
    database: Any = vars(journal)["_db"]

    def work(conn: Any) -> None:
        conn.exec_driver_sql("PRAGMA max_page_count=1000000")

    await database.transact(work)


async def test_a_locked_database_delays_and_loses_nothing(
    app: App, model: ModelServer, slack: RecordingChannel
) -> None:
    known = await start(app, "known before")
    await ended(app, known)
    with locked(app):
        met = [asyncio.create_task(app.inbox.accept(message(f"n{n}"))) for n in range(5)]
        # Reading goes on meanwhile.
        assert await app.services.runs.get(WORKSPACE, known)
        assert not any(task.done() for task in met)
    for n, task in enumerate(met):
        run = await ended(app, (await task).run_id)
        assert run.status is RunStatus.SUCCEEDED and said(run) == f"You said: n{n}"


async def test_an_answer_that_meets_a_locked_database_is_kept_until_it_can_be_written(
    app: App, model: ModelServer, slack: RecordingChannel
) -> None:
    await set_pragma(app, "busy_timeout=1")
    release = asyncio.Event()
    model.then(Wait(until=release))
    run_id = await start(app, "hello")
    while not model.in_flight:
        await asyncio.sleep(0.001)
    with locked(app):
        release.set()
        while model.in_flight:
            await asyncio.sleep(0.001)
        with pytest.raises(StorageError) as refused:
            await app.inbox.accept(message("a new one"))
        assert refused.value.retry and "try again" in refused.value.said
    run = await ended(app, run_id)
    assert run.status is RunStatus.SUCCEEDED and said(run) == "You said: hello"
    await app.sender.stop(5)
    assert slack.texts == ["You said: hello"]
    assert said(await say(app, "a new one")) == "You said: a new one"


async def test_what_was_spent_is_known_though_a_step_could_not_be_written(
    app: App, model: ModelServer
) -> None:
    await set_pragma(app, "busy_timeout=1")
    release = asyncio.Event()
    model.then(Wait(until=release), Answer("let me see", tool_calls=CALCULATOR))
    run_id = await start(app, "what is 1 + 1?")
    while not model.in_flight:
        await asyncio.sleep(0.001)
    with locked(app), app.services.events.watch(run_id) as events:
        release.set()
        while (await events.get()).data.get("kind") != "model":
            pass
        # Whatever comes after the step in the writer's queue is refused after it.
        for _ in range(2):
            with pytest.raises(StorageError):
                await app.inbox.accept(message("a new one"))
    run = await ended(app, run_id)
    assert run.status is RunStatus.FAILED and run.error_type == "storage"
    assert "try again" in said(run)
    called = [step for step in await steps(app, run) if step.kind is StepKind.MODEL]
    assert len(called) == 1 and called[0].usage.cost_usd
    assert (await kept(app, run)).usage.cost_usd == called[0].usage.cost_usd


async def test_a_full_disk_is_said_and_survived(
    app: App, model: ModelServer, slack: RecordingChannel
) -> None:
    release = asyncio.Event()
    model.then(Wait(until=release))
    under_way = await start(app, "hello")
    while not model.in_flight:
        await asyncio.sleep(0.001)
    await fill(app)
    with pytest.raises(StorageError, match="full") as refused:
        for n in range(50):
            await app.inbox.accept(message(f"{n} " + "long " * 10_000))
    assert "The disk is full" in refused.value.said
    release.set()
    journal: RunJournal = vars(app.inbox)["_journal"]
    await make_room(app, journal)
    assert said(await ended(app, under_way)) == "You said: hello"
    assert said(await say(app, "room again?")) == "You said: room again?"
