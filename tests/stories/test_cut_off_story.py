"""Approve, and kill -9 in the middle of it: the next start finishes what was decided, once."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.model.proposal import Proposal, ProposalStatus
from storage.agents import AgentStore
from storage.engine import Database, url_of
from storage.proposals import ProposalStore
from tests.conftest import HeldClock
from tests.stories.nodes import Node

QUESTION = "In which unit do we state the length of a cable?"
LESSON = "We state the length of a cable in metres"
FOREVER = """
    CREATE VIEW forever AS
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n;
"""
MOMENTS = {
    "before the change is made": """
    CREATE TRIGGER stuck BEFORE INSERT ON agent_versions BEGIN SELECT * FROM forever; END;
    """,
    "before it is noted that it was made": """
    CREATE TRIGGER stuck BEFORE UPDATE OF applied ON proposals BEGIN SELECT * FROM forever; END;
    """,
}


class Stuck:
    """The database takes forever at one moment, so that a kill surely hits it."""

    def __init__(self, home: Path) -> None:
        self._path = home / "ratchet.sqlite"

    def at(self, moment: str) -> None:
        self._do(FOREVER + MOMENTS[moment])

    def free(self) -> None:
        self._do("DROP TRIGGER stuck; DROP VIEW forever;")

    def _do(self, script: str) -> None:
        with closing(sqlite3.connect(self._path, timeout=20)) as database:
            database.executescript(script)


@pytest.fixture
async def ratchet(tmp_path: Path) -> AsyncIterator[Node]:
    node = Node(tmp_path / "home", {})
    await node.start()
    yield node
    await node.kill()


async def says(node: Node, text: str) -> str:
    run = await node.until_closed(await node.ask(text))
    return str(run["answer"])


async def proposal(database: Database, ref: str) -> Proposal:
    found = await ProposalStore(database).get("local", ref)
    assert found
    return found


async def test_what_was_approved_is_done_after_a_kill(
    ratchet: Node, tmp_path: Path, clock: HeldClock
) -> None:
    home = tmp_path / "home"
    stuck, database = Stuck(home), Database(url_of("", home))
    for number, moment in enumerate(MOMENTS, 1):
        ref, lesson = f"P{number}", f"{LESSON}, rule {number}"
        wrong = await ratchet.until_closed(await ratchet.ask(QUESTION))
        assert lesson in await says(ratchet, f"/better {wrong['run_id']} lesson: {lesson}")
        stuck.at(moment)
        approving = await ratchet.ask(f"/approve {ref}")
        async with asyncio.timeout(20):
            while (await proposal(database, ref)).status is not ProposalStatus.APPROVED:
                await asyncio.sleep(0.01)
        await ratchet.kill()
        assert (await proposal(database, ref)).applied is None, "the kill came too late"
        stuck.free()

        await ratchet.start()
        told = await ratchet.until_closed(approving)
        assert f"{ref} is approved" in str(told["answer"]), told
        assert (await proposal(database, ref)).applied
        assert lesson in await says(ratchet, QUESTION)
        versions = await AgentStore(database, clock).current("local")
        generalist = next(agent for agent in versions if agent.name == "generalist")
        made_of_it = [bullet for bullet in generalist.playbook if bullet.source == ref]
        assert generalist.version == number + 1 and len(made_of_it) == 1
    await database.close()
