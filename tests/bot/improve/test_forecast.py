"""What history predicts is read anew where a job has folded more of it, and only there."""

import pytest

from bot.improve.forecast import CLOSED, SCORED, Forecast
from bot.improve.predictor import Predictor
from bot.ports.stores import State, States
from storage.engine import Database
from storage.states import StateStore
from tests.conftest import HeldClock

W = "local"


@pytest.fixture
def states(db: Database) -> States:
    return StateStore(db)


async def _fold(states: States, name: str, runs: int) -> None:
    predictor = Predictor()
    for _ in range(runs):
        predictor.judged("", "ops", 1, 1.0)
        predictor.closed("", "ops", 1, 800, None)
    mine = "good" if name == SCORED else "took"
    before = await states.get(W, name)
    known = {"known": {"predictor": {mine: predictor.dump()[mine]}}}
    assert await states.move(W, name, before, State("r", known), 1)


async def test_what_another_node_folded_is_known_after_five_minutes(
    states: States, clock: HeldClock
) -> None:
    forecast = Forecast(states, clock)
    await _fold(states, SCORED, 9)
    before = (await forecast.predict(W, "hello", ["ops"]))["ops"]
    assert (before.n, before.latency_ms) == (9, None)
    await _fold(states, CLOSED, 9)
    assert (await forecast.predict(W, "hello", ["ops"]))["ops"] == before
    clock.advance(301)
    after = (await forecast.predict(W, "hello", ["ops"]))["ops"]
    assert after.n == 9 and after.latency_ms is not None


async def test_where_nothing_was_folded_what_is_known_stays(
    states: States, clock: HeldClock
) -> None:
    forecast = Forecast(states, clock)
    await _fold(states, SCORED, 9)
    known = await forecast.refresh(W)
    clock.advance(301)
    again = await forecast.refresh(W)
    assert again.predictor is known.predictor and again.read_at > known.read_at
