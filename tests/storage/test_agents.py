"""Agents: seeds become versions, deployments win, pointers move by compare-and-set."""

import asyncio
from dataclasses import replace

import pytest

from bot.errors import Conflict, NotFound
from bot.model.agent import AgentVersion, Bullet
from storage.agents import AgentStore
from storage.engine import Database
from tests.conftest import HeldClock

SEED = AgentVersion("writer", 0, "words", "Write well.", tools=("recall",), temperature=0.2)
LESSON = SEED.with_bullet(Bullet("b1", "Be short.", "P1"))


@pytest.fixture
async def agents(db: Database, clock: HeldClock) -> AgentStore:
    store = AgentStore(db, clock)
    await store.seed("w", [SEED])
    return store


async def _now(agents: AgentStore) -> AgentVersion:
    [current] = await agents.current("w")
    return current


async def test_a_roster_file_is_version_1(agents: AgentStore) -> None:
    assert await _now(agents) == replace(SEED, version=1)
    assert await agents.current("v") == []


async def test_an_unchanged_file_changes_nothing_and_a_changed_one_is_a_version(
    agents: AgentStore,
) -> None:
    await agents.seed("w", [SEED])
    assert (await _now(agents)).version == 1
    changed = replace(SEED, instructions="Write better.")
    await agents.seed("w", [changed])
    assert await _now(agents) == replace(changed, version=2)
    await agents.seed("w", [SEED])
    assert (await _now(agents)).version == 1


async def test_a_deployed_version_wins_over_a_changed_file(agents: AgentStore) -> None:
    deployed = await agents.deploy("w", LESSON, base=1, source="P1")
    await agents.seed("w", [replace(SEED, instructions="Write better.")])
    assert await _now(agents) == deployed
    archived = await agents.version("w", "writer", 3)
    assert archived is not None
    assert archived.instructions == "Write better."


async def test_the_same_deployment_twice_is_one_version(agents: AgentStore) -> None:
    first = await agents.deploy("w", LESSON, base=1, source="P1")
    again = await agents.deploy("w", LESSON, base=1, source="P1")
    assert first == again == replace(LESSON, version=2)
    assert await agents.made_by("w", "writer", "P1") == (first, 1)
    assert await agents.made_by("w", "writer", "P2") is None


async def test_of_two_deployments_on_one_base_one_is_told_of_the_other(agents: AgentStore) -> None:
    other = SEED.with_bullet(Bullet("b1", "Cite.", "P2"))
    results = await asyncio.gather(
        agents.deploy("w", LESSON, base=1, source="P1"),
        agents.deploy("w", other, base=1, source="P2"),
        return_exceptions=True,
    )
    assert sorted(type(r).__name__ for r in results) == ["AgentVersion", "Conflict"]
    assert (await _now(agents)).version == 2


async def test_the_pointer_moves_from_its_base_only(agents: AgentStore) -> None:
    await agents.deploy("w", LESSON, base=1, source="P1")
    with pytest.raises(Conflict):
        await agents.point("w", "writer", 1, base=1)
    with pytest.raises(NotFound):
        await agents.point("w", "writer", 9, base=2)
    await agents.point("w", "writer", 1, base=2)
    assert (await _now(agents)).version == 1
    third = await agents.deploy("w", SEED.with_bullet(Bullet("b1", "x")), base=1, source="P2")
    assert third.version == 3


async def test_nodes_that_seed_at_once_agree(db: Database, clock: HeldClock) -> None:
    nodes = [AgentStore(db, clock) for _ in range(4)]
    roster = [SEED, replace(SEED, name="analyst")]
    await asyncio.gather(*(node.seed("w", roster) for node in nodes))
    assert [(a.name, a.version) for a in await nodes[0].current("w")] == [
        ("analyst", 1),
        ("writer", 1),
    ]
