"""Texts go after their time, numbers stay; nothing of another workspace is touched."""

from sqlalchemy import insert, select

from bot.model.run import RunStatus, Step, StepKind
from storage.engine import Database
from storage.jobstates import JobStateStore
from storage.retention import UpkeepStore
from storage.rows import run_row, step_row
from storage.runs import RunStore
from storage.tables import notices, outbox, runs, steps
from tests.storage.test_metrics import TODAY, a_run

WRITTEN = {"answer": "said", "reply": {"text": "said"}, "error_message": "cause", "latency_ms": 70}


async def fill(db: Database) -> None:
    past = [
        a_run(1),
        a_run(2),
        a_run(3, status=RunStatus.RUNNING),
        a_run(4, workspace="other"),
        a_run(50),
    ]
    async with db.write() as conn:
        for run in past:
            await conn.execute(insert(runs).values(run_row(run) | WRITTEN))
            step = Step(0, StepKind.MODEL, "m", input={"q": 1}, output="said", error_message="why")
            await conn.execute(insert(steps).values(step_row(run, step)))
            await conn.execute(
                insert(outbox).values(
                    id=f"o{run.id}",
                    workspace=run.workspace,
                    run_id=run.id,
                    channel="web",
                    reply={"text": "said"},
                    status="sent",
                    node="n",
                )
            )


async def test_old_texts_go_in_chunks(db: Database) -> None:
    await fill(db)
    upkeep, store = UpkeepStore(db), RunStore(db)
    assert await upkeep.workspaces() == ["other", "w"]
    done = [await upkeep.forget_texts("w", 0, TODAY + 10, 1) for _ in range(3)]
    assert done == [1, 1, 0]
    emptied = await store.get("w", "r1")
    assert emptied
    assert (emptied.message, emptied.answer, emptied.reply, emptied.error_message) == (
        "",
        "",
        {},
        "",
    )
    assert (emptied.agent, emptied.usage.tokens_in, emptied.outcome.y) == ("writer", 10, None)
    [step] = await store.steps("w", "r1")
    assert (step.input, step.output, step.error_message, step.name) == (None, None, "", "m")
    for workspace, kept in (("w", "r3"), ("other", "r4"), ("w", "r50")):
        run = await store.get(workspace, kept)
        assert run and run.message == "hello" and (await store.steps(workspace, kept))[0].output
    async with db.read() as conn:
        left = await conn.execute(select(outbox.c.id).where(outbox.c.reply.is_not(None)))
        assert set(left.scalars()) == {"or3", "or4", "or50"}


async def test_repetitions_are_forgotten_but_not_the_last_tick(db: Database) -> None:
    states, upkeep = JobStateStore(db), UpkeepStore(db)
    for at in (1, 2, 3):
        await states.claim_tick("w", "analyze", at, "r")
    await states.claim_tick("w", "expire", 1, "r")
    async with db.write() as conn:
        await conn.execute(insert(notices).values(workspace="w", key="old", created_at=1))
        await conn.execute(insert(notices).values(workspace="w", key="new", created_at=9))
    for id, run_id, card, status, at in (
        ("old digest", "", "", "sent", 1),
        ("new digest", "", "", "sent", 9),
        ("on its way", "", "", "queued", 1),
        ("proposal", "", "P1", "sent", 1),
        ("answer", "r1", "", "sent", 1),
    ):
        await say(db, id=id, run_id=run_id, card=card, status=status, created_at=at)
    assert await upkeep.tidy("w", 9, 5) == 4
    async with db.read() as conn:
        left = set((await conn.execute(select(outbox.c.id))).scalars())
    assert left == {"new digest", "on its way", "proposal", "answer"}
    assert await states.last_tick("w", "analyze") == 3
    assert await states.last_tick("w", "expire") == 1
    await upkeep.optimize()


async def say(db: Database, **values: object) -> None:
    row = {"workspace": "w", "channel": "slack", "node": "n", **values}
    async with db.write() as conn:
        await conn.execute(insert(outbox).values(**row))
