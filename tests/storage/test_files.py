"""Files are kept once, by workspace, until their run's texts are forgotten."""

from dataclasses import replace

from sqlalchemy import insert

from bot.model.file import Attached, FileRef, StoredFile
from bot.model.run import RunStatus, Step, StepKind
from storage.engine import Database
from storage.files import FileStore
from storage.retention import UpkeepStore
from storage.rows import run_row, step_row
from storage.runs import RunStore
from storage.tables import runs, steps
from tests import samples

REPORT = StoredFile("f1", "w", "r1", "report.csv", "text/csv", b"a,b\n\0\xff", "out", 5)


async def test_the_same_id_twice_is_one_file(db: Database) -> None:
    files = FileStore(db)
    await files.put(REPORT)
    await files.put(replace(REPORT, content=b"other"))
    assert await files.get("w", "f1") == REPORT
    assert await files.get("v", "f1") is None
    assert await files.get("w", "f2") is None


async def test_a_runs_files_are_told_apart_by_their_direction(db: Database) -> None:
    files = FileStore(db)
    await files.put(REPORT)
    await files.put(replace(REPORT, id="f0", direction="in", created_at=4, content=b"\xc3\xa9"))
    await files.put(replace(REPORT, id="f2", workspace="v"))
    await files.put(replace(REPORT, id="f3", run_id="r2"))
    assert await files.of_run("w", "r1") == [
        Attached("f0", "report.csv", "text/csv", 2),
        Attached("f1", "report.csv", "text/csv", 6),
    ]
    assert [file.id for file in await files.of_run("w", "r1", "out")] == ["f1"]


async def test_bytes_and_names_go_with_the_texts_of_their_run(db: Database) -> None:
    files = FileStore(db)
    run = samples.run(status=RunStatus.SUCCEEDED, files=(FileRef("payroll.csv", ref={"id": "F1"}),))
    steps_of = (Step(0, StepKind.FILE, "payroll.csv"), Step(1, StepKind.MODEL, "gpt"))
    async with db.write() as conn:
        await conn.execute(insert(runs).values(run_row(run)))
        for step in steps_of:
            await conn.execute(insert(steps).values(step_row(run, step)))
    await files.put(replace(REPORT, workspace=run.workspace, run_id=run.id))
    await files.put(replace(REPORT, id="up", workspace=run.workspace, run_id=""))
    await UpkeepStore(db).forget_texts(run.workspace, 0, run.created_at + 1, 10)
    assert await files.get(run.workspace, "f1") is None
    assert await files.get(run.workspace, "up") is None
    assert await files.of_run(run.workspace, run.id) == [Attached("f1", "", "text/csv")]
    forgotten = await RunStore(db).get(run.workspace, run.id)
    assert forgotten and forgotten.files == ()
    assert [s.name for s in await RunStore(db).steps(run.workspace, run.id)] == ["", "gpt"]
