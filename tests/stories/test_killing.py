"""Kill -9 at random instants, and a node that is paused, overtaken and goes on."""

import asyncio
from pathlib import Path

import pytest

from storage.engine import Database, url_of
from storage.runs import RunStore
from tests.fakes.model_server import ModelServer, Wait
from tests.stories.killing import Killing
from tests.stories.nodes import Node


@pytest.mark.parametrize("nodes", [1, 2])
async def test_nothing_is_lost_or_done_twice(
    nodes: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """As many messages for each kill as ever; `make bench` plays it with two hundred kills."""
    url = request.getfixturevalue("postgres_url") if nodes > 1 else ""
    reckoning = await Killing(tmp_path, url, nodes, messages=18, kills=3, seed=nodes).run()
    assert reckoning.clean, reckoning


async def test_a_paused_node_writes_nothing(tmp_path: Path, postgres_url: str) -> None:
    """It is stopped in the middle of a model call, overtaken, and wakes up with the answer."""
    gate = asyncio.Event()
    async with ModelServer() as model:
        settings = {
            "RATCHET_DATABASE_URL": postgres_url,
            "RATCHET_LEASE_SECONDS": "1",
            "OPENAI_BASE_URL": model.url,
            "OPENAI_API_KEY": "none",
            "QDRANT_URL": "http://127.0.0.1:9",
        }
        first, second = (Node(tmp_path / name, settings) for name in ("first", "second"))
        await asyncio.gather(first.start(), second.start())
        try:
            model.then(Wait(until=gate), "from the living node", "from the paused node")
            run_id = await first.ask("hello")
            while not model.chats:
                await asyncio.sleep(0.01)
            first.pause()
            await second.until_closed(run_id)
            first.go_on()
            gate.set()
            await asyncio.sleep(2.0)
        finally:
            first.go_on()
            await asyncio.gather(first.kill(), second.kill())
    db = Database(url_of(postgres_url, tmp_path))
    run = await RunStore(db).get("local", run_id)
    steps = await RunStore(db).steps("local", run_id)
    await db.close()
    assert run is not None and (run.attempt, run.answer) == (2, "from the living node")
    assert [step.kind.value for step in steps] == ["route", "model"]
