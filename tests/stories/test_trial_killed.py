"""A process is killed between a trial's verdict and what comes of it: that comes, and comes once."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from bot.clock import SystemClock
from bot.model.proposal import ProposalStatus
from bot.model.trial import TrialStatus
from storage.agents import AgentStore
from storage.engine import Database, url_of
from storage.proposals import ProposalStore
from storage.trials import TrialStore
from tests.fakes.model_answers import Body, Turn
from tests.fakes.model_server import ModelServer
from tests.fakes.telegram_server import TelegramServer
from tests.stories.nodes import Node
from tests.stories.telegram_people import Phone, settings, shown

LESSON, SEASON = "always name the season", "in summer"
OWNER = 7
SITTINGS = 24
DECIDED = "SELECT count(*) FROM trials WHERE status != 'running'"
IN_USE = "SELECT count(*) FROM agents WHERE name = 'generalist' AND version = 2"


def answering(body: Body) -> Turn:
    return "30 days" + (f", {SEASON}" if LESSON in str(body["messages"][0]["content"]) else "")


async def until(file: Path, question: str) -> None:
    """Until the database says so: a moment later the next step is done too."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=5)) as db:
        async with asyncio.timeout(30):
            while not db.execute(question).fetchone()[0]:
                await asyncio.sleep(0.0005)


async def asked_and_rated(node: Node, number: int) -> None:
    run = await node.ask("How long are kites taken back?", conversation=f"sitting {number}")
    good = SEASON in str((await node.until_closed(run))["answer"])
    await node.until_closed(await node.ask(f"/rate {run[-8:]} {'up' if good else 'down'}"))


async def test_what_was_kept_is_put_into_use_and_told_once(tmp_path: Path) -> None:
    telegram = TelegramServer(now=SystemClock().now() // 1000)
    await telegram.start()
    owner, model = Phone(telegram, OWNER), ModelServer(reply=answering)
    node = Node(
        tmp_path,
        {
            **settings(telegram),
            "OPENAI_API_KEY": "none",
            "RATCHET_OWNERS": f"telegram:{OWNER}",
            "RATCHET_TRIALS": "balanced",
            "RATCHET_REPLAY_PAIRS": "0",
            "RATCHET_LEASE_SECONDS": "1",
        },
    )
    async with model:
        try:
            node.set({"OPENAI_BASE_URL": model.url})
            await node.start()
            await owner.says("/jobs pause trials", seeing="trials")
            await owner.asks("How long are kites taken back?")
            await owner.says(f"/better lesson: {LESSON}", seeing="P1")
            await owner.says("/approve P1", seeing="as T1")
            await asyncio.gather(*(asked_and_rated(node, n) for n in range(SITTINGS)))
            # A tenth of them got the candidate; from here on it is half.
            await node.until_closed(await node.ask("/jobs run trials"))
            await asyncio.gather(*(asked_and_rated(node, -n) for n in range(1, SITTINGS)))
            for moment in (DECIDED, IN_USE):
                await node.ask("/jobs run trials")
                await until(tmp_path / "ratchet.sqlite", moment)
                await node.kill()
                await node.start()
            await node.until_closed(await node.ask("/jobs run trials"))
            await owner.reads("stays: generalist v2 is in use")
            await owner.says("/progress", seeing="1 step")
        finally:
            await node.kill()
            await telegram.stop()
    told = [m for m in telegram.shown(OWNER) if "stays: generalist v2 is in use" in shown(m)]
    assert len(told) == 1
    db = Database(url_of("", tmp_path))
    trial, proposal = (
        await TrialStore(db).get("local", "T1"),
        await ProposalStore(db).get("local", "P1"),
    )
    history = await AgentStore(db, SystemClock()).history("local", "generalist")
    await db.close()
    assert trial is not None and trial.status is TrialStatus.KEPT
    assert proposal is not None and proposal.status is ProposalStatus.KEPT
    assert [made.version.version for made in history] == [1, 2]
