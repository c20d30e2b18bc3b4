"""A whole Ratchet with a model server, people who were answered, and a change to try."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.app import App
from bot.model.person import Person, Role
from bot.model.proposal import Proposal
from bot.model.run import Outcome, Run, RunKind
from bot.ports.stores import Pair, Replay
from jobs import replay
from tests.bot.dispatch.conftest import app, model
from tests.bot.dispatch.saying import WORKSPACE, say
from tests.fakes.model_server import ModelServer

__all__ = ["app", "model"]

OWNER = Person("p", WORKSPACE, "Owner", Role.OWNER)
GOODS = (
    *("tents", "boots", "lamps", "ropes", "maps", "stoves", "packs", "socks"),
    *("knives", "bottles", "gloves", "skis", "kayaks", "helmets", "torches"),
)


@dataclass
class Loop:
    """Asks, rates, proposes and replays."""

    app: App
    model: ModelServer
    asked: list[Run] = field(default_factory=list)

    async def ask(self, text: str, y: float | None = 1.0, **changes: Any) -> Run:
        run = await say(self.app, text, **changes)
        if y is not None:
            await self.app.services.runs.set_outcome(WORKSPACE, run.id, Outcome(y, "rating"), 1)
        self.asked.append(run)
        return run

    async def fill(self, count: int = 12) -> None:
        for goods in GOODS[:count]:
            await self.ask(f"How many days are {goods} refunded?")

    async def propose(self, words: str = "lesson: always name the season") -> Proposal:
        about = self.asked[0]
        return await self.app.services.desk.from_words(about, words, OWNER, f"said {words}")

    async def turn(self, run_id: str = "tick") -> str:
        return await replay.work(self.app.services, WORKSPACE, run_id)

    async def seen(self, proposal: Proposal) -> Mapping[str, Any]:
        """What the proposal says of its replay."""
        found = await self.app.services.proposals.get(WORKSPACE, proposal.ref)
        assert found is not None
        said = found.estimate["replay"]
        assert isinstance(said, dict)
        return said

    async def kept(self, proposal: Proposal) -> Replay:
        found = await self.app.services.replays.of(WORKSPACE, proposal.ref, proposal.fingerprint)
        assert found is not None
        return found

    async def pairs(self, proposal: Proposal) -> list[Pair]:
        kept = await self.kept(proposal)
        return list(await self.app.services.replays.pairs(WORKSPACE, kept.id))

    async def runs(self) -> list[Run]:
        """The replays' own."""
        kinds = [RunKind.REPLAY.value]
        return await self.app.services.runs.recent(WORKSPACE, kinds=kinds, limit=500)


@pytest.fixture
def more() -> Mapping[str, str]:
    return {}


@pytest.fixture
def loop(app: App, model: ModelServer) -> Loop:
    return Loop(app, model)
