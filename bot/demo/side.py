"""One of the two teams: a whole product of its own, the same people, the same requests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.app import App
from bot.config import load
from bot.llm.simulated.mind import Mind
from bot.llm.simulated.server import SimulatedServer
from bot.llm.simulated.world import World
from bot.simulation.clock import BEGIN, SeededIds, SimulatedClock
from bot.simulation.crowd import Crowd
from bot.wiring import open_app

_BUDGETS = ("RUN", "DAY", "MONTH", "AGENT_DAY", "AGENT_MONTH", "PERSON_DAY", "PERSON_MONTH")
_PAIRS = 20


@dataclass(slots=True)
class Side:
    """`loop` says whether it learns: has jobs, proposals and trials."""

    loop: bool
    app: App
    mind: Mind
    crowd: Crowd
    clock: SimulatedClock


@asynccontextmanager
async def side(world: World, seed: int, home: Path, begins: int, loop: bool) -> AsyncIterator[Side]:
    """Everything it makes stays below `home`. Its model listens on loopback; nothing else is
    reached."""
    home.mkdir(parents=True, exist_ok=True)
    clock = SimulatedClock(begins)
    ids = SeededIds(clock, seed, ahead=begins - BEGIN)
    async with SimulatedServer(world, seed, clock.pass_ms) as server:
        settings = load(_environ(server.url, home, world, loop), home)
        async with open_app(settings, serve=False, clock=clock, ids=ids) as app:
            await app.settled()
            yield Side(loop, app, server.mind, Crowd(app, clock, _member), clock)


def _member(number: int) -> str:
    return f"Member {number + 1}"


def _environ(url: str, home: Path, world: World, loop: bool) -> dict[str, str]:
    """No key and no network: what the person has set elsewhere plays no part."""
    model = world.models[0].name
    return {
        "RATCHET_HOME": str(home),
        "RATCHET_PRICES": _prices(world, home),
        "OPENAI_BASE_URL": url,
        "OPENAI_API_KEY": "simulated",
        "RATCHET_MODEL": model,
        "RATCHET_JUDGE_MODEL": model,
        "RATCHET_JUDGE_SHARE": "0",
        "RATCHET_REPLAY_PAIRS": str(_PAIRS),
        "RATCHET_REPLAY_MOST": str(_PAIRS),
        "RATCHET_OPEN_PROPOSALS": "1",
        "RATCHET_PROPOSAL_DAYS": "60",
        "RATCHET_TRIALS": "balanced" if loop else "off",
        **{f"RATCHET_BUDGET_{scope}": "1000000" for scope in _BUDGETS},
    }


def _prices(world: World, home: Path) -> str:
    path = home / "prices.yml"
    lines = [f"{m.name}: {{input: {m.input}, output: {m.output}}}\n" for m in world.models]
    path.write_text("".join(lines), "utf-8")
    return str(path)
