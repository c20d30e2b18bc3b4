"""Kinds of requests sorted anew: kept where they were, learned of as before, left where none is."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.agents import roster
from bot.clock import SystemIds
from bot.errors import ConfigError
from bot.improve.forecast import CLOSED
from bot.llm import grouping
from bot.ports.stores import State, States
from bot.services import Services
from jobs import mine, regroup
from storage.engine import Database
from tests.conftest import HeldClock
from tests.jobs.bench import services as make
from tests.jobs.test_mine import GOOD, W, keep, some


@pytest.fixture
async def services(db: Database, clock: HeldClock, ids: SystemIds) -> Services:
    made = make(db, clock, ids)
    await made.agents.seed(W, roster.load())
    await keep(db, some(clock, 12, "refund window {}", outcome=GOOD))
    await keep(db, some(clock, 12, "money back please {}", outcome=GOOD))
    await mine.work(made, W, "run")
    return made


def by_refund(texts: Sequence[str]) -> list[int]:
    return [0 if "refund" in text or "money" in text else -1 for text in texts]


async def test_two_kinds_that_are_one_become_one(services: Services) -> None:
    assert await regroup.regroup(services, W, by_refund) == "1 group of 24 requests"
    one, other = [
        (await services.forecast.predict(W, text, ["analyst"]))["analyst"]
        for text in ("refund window", "money back please")
    ]
    assert one.cluster == other.cluster != "" and one.n == 12
    assert await mine.work(services, W, "run") == "0 requests read, 0 outcomes, no findings"


async def test_nothing_is_changed_where_there_are_no_groups(services: Services) -> None:
    before = await services.states.get(W, CLOSED)
    said = await regroup.regroup(services, W, lambda texts: [-1] * len(texts))
    assert said == "left as it is: no groups in 24 requests"
    assert await services.states.get(W, CLOSED) == before
    assert (await regroup.regroup(services, "other", by_refund)).startswith("left as it is")


async def test_what_is_folded_meanwhile_wins(services: Services) -> None:
    states = Overtaken(services.states)
    assert "meanwhile" in await regroup.regroup(replace(services, states=states), W, by_refund)
    assert (await services.states.get(W, CLOSED)).state == {"known": {}}


class Overtaken:
    """Someone else saves between a read and a write."""

    def __init__(self, states: States) -> None:
        self._states = states

    async def get(self, workspace: str, name: str) -> State:
        found = await self._states.get(workspace, name)
        await self._states.move(workspace, name, found, State("z", {"known": {}}), 1)
        return found

    async def since(self, workspace: str, name: str, revision: int) -> State | None:
        return await self._states.since(workspace, name, revision)

    async def move(self, workspace: str, name: str, before: State, after: State, at: int) -> bool:
        return await self._states.move(workspace, name, before, after, at)


async def test_without_scikit_learn_it_says_so(services: Services) -> None:
    assert not grouping.installed()  # neither set-up nor the tests bring it
    assert "scikit-learn isn't installed" in await regroup.work(services, W, "run")
    with pytest.raises(ConfigError):
        grouping.groups(["a"])
