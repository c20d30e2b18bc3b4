"""A replay is killed half-way with the whole process: it goes on, and nothing is paid for twice."""

import asyncio
from pathlib import Path

from bot.model.run import RunKind
from storage.engine import Database, url_of
from storage.proposals import ProposalStore
from storage.replays import ReplayStore
from storage.runs import RunStore
from tests.bot.improve.replay.conftest import GOODS
from tests.fakes.model_answers import Body, Turn
from tests.fakes.model_server import ModelServer, asked
from tests.stories.nodes import Node

ASKED = 12


def answering(body: Body) -> Turn:
    known = "name the season" in str(body["messages"][0]["content"])
    return f"{asked(body)} Within 30 days{' in summer' if known else ''}."


async def said(node: Node, text: str) -> str:
    run = await node.until_closed(await node.ask(text))
    return str(run["answer"])


async def test_a_killed_replay_goes_on_and_pays_nothing_twice(tmp_path: Path) -> None:
    async with ModelServer(reply=answering, delay=0.05) as model:
        settings = {"OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": "none"}
        node = Node(tmp_path, {**settings, "RATCHET_LEASE_SECONDS": "1"})
        await node.start()
        try:
            runs = []
            for goods in GOODS[:ASKED]:
                runs.append(await node.ask(f"How many days are {goods} refunded?"))
                await node.until_closed(runs[-1])
                await said(node, f"/rate {runs[-1][-8:]} up")
            await said(node, "/jobs run analyze")
            await said(node, f"/better {runs[0][-8:]} lesson: always name the season")
            before = len(model.chats)
            await node.ask("/jobs run replay")
            while len(model.chats) < before + 7:
                await asyncio.sleep(0.01)
            await node.kill()
            await node.start()
            async with asyncio.timeout(60):
                while "over 11 recorded requests" not in await said(node, "/proposals P1"):
                    await asyncio.sleep(0.2)
        finally:
            await node.kill()
        # At most the call that was under way at the kill was made again.
        assert 22 <= len(model.chats) - before <= 23
    db = Database(url_of("", tmp_path))
    proposal = await ProposalStore(db).get("local", "P1")
    assert proposal is not None
    replay = await ReplayStore(db).of("local", "P1", proposal.fingerprint)
    assert replay is not None and replay.status == "done"
    pairs = await ReplayStore(db).pairs("local", replay.id)
    made = await RunStore(db).recent("local", kinds=[RunKind.REPLAY.value], limit=100)
    await db.close()
    assert len(pairs) == ASKED - 1 and all(pair.candidate for pair in pairs)
    assert len(made) == 2 * (ASKED - 1) and all(run.finished_at for run in made)
