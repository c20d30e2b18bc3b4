"""Workflows: versions that only ever grow."""

import asyncio

from bot.model.workflow import Workflow
from storage.engine import Database
from storage.workflows import WorkflowStore


def _draft(run: str, name: str = "triage", workspace: str = "w") -> Workflow:
    return Workflow(workspace, name, 0, f"# {name} by {run}", run, "p1", 1)


async def test_each_saving_is_the_next_version(db: Database) -> None:
    workflows = WorkflowStore(db)
    saved = [await workflows.save(_draft(run)) for run in ("r1", "r2", "r1")]
    assert [w.version for w in saved] == [1, 2, 1]
    newest = await workflows.get("w", "triage")
    assert newest is not None
    assert newest.source_run == "r2"
    assert await workflows.get("v", "triage") is None


async def test_savings_at_once_get_a_version_each(db: Database) -> None:
    workflows = WorkflowStore(db)
    saved = await asyncio.gather(*(workflows.save(_draft(f"r{n}")) for n in range(5)))
    assert sorted(w.version for w in saved) == [1, 2, 3, 4, 5]


async def test_the_list_shows_the_newest_of_each(db: Database) -> None:
    workflows = WorkflowStore(db)
    for draft in (_draft("r1"), _draft("r2"), _draft("r3", "audit"), _draft("r4", "x", "v")):
        await workflows.save(draft)
    listed = await workflows.list("w")
    assert [(w.name, w.version) for w in listed] == [("audit", 1), ("triage", 2)]
