"""Who is chosen by what is likely: only where it is surely better, with a floor of exploration."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from bot.agents import roster
from bot.agents.router import Router
from bot.dispatch.foresight import foreseen
from bot.errors import StorageError
from bot.model.prediction import (
    ENOUGH,
    EXPLORED,
    MOST_EXPLORED,
    Choice,
    Prediction,
    choose,
    coin_of,
)
from tests import samples

NEAR = ("generalist", "ops", "writer")
NEVER = 0.99


def likely(agent: str, success: float, reach: float = 0.05, n: int = 50) -> Prediction:
    return Prediction(agent, "c1", success, success - reach, success + reach, n)


def by_name(*predictions: Prediction) -> dict[str, Prediction]:
    return {p.agent: p for p in predictions}


def test_nothing_is_chosen_on_little_data() -> None:
    few = by_name(likely("generalist", 0.2, n=ENOUGH - 1), likely("ops", 0.9))
    assert choose(few, NEAR, "generalist", 0.0) == Choice("generalist")
    assert choose({}, NEAR, "generalist", 0.0) == Choice("generalist")
    assert str(few["generalist"]) == f"not enough to tell, n={ENOUGH - 1}"


def test_a_surely_better_agent_takes_it_and_the_reason_is_said() -> None:
    found = by_name(likely("generalist", 0.5), likely("ops", 0.82, 0.1, 41))
    taken = choose(found, NEAR, "generalist", NEVER)
    assert taken.agent == "ops"
    assert taken.why == "predicted success 82% [72 to 92], n=41; generalist 50%"


def test_one_that_may_be_better_is_not_enough() -> None:
    found = by_name(likely("generalist", 0.78), likely("ops", 0.82, 0.1))
    assert choose(found, NEAR, "generalist", NEVER) == Choice("generalist")


def test_little_known_agents_are_explored_and_those_known_to_be_worse_are_not() -> None:
    found = by_name(likely("generalist", 0.8), likely("writer", 0.3))
    taken = choose(found, NEAR, "generalist", 0.0)
    assert (taken.agent, taken.explored) == ("ops", True)
    assert taken.why == "not enough to tell, n=0, explored"
    worse = by_name(*found.values(), likely("ops", 0.4))
    assert choose(worse, NEAR, "generalist", 0.0) == Choice("generalist")


@pytest.mark.parametrize(("success", "share"), [(0.95, EXPLORED), (0.8, 0.1), (0.3, MOST_EXPLORED)])
def test_the_coin_is_the_runs_own_and_less_is_tried_where_it_goes_well(
    success: float, share: float
) -> None:
    tossed = [coin_of(f"run-{n}") for n in range(4000)]
    assert tossed == [coin_of(f"run-{n}") for n in range(4000)]
    found = by_name(likely("generalist", success), likely("writer", 0.6, n=3))
    went = Counter(choose(found, NEAR, "generalist", coin).agent for coin in tossed)
    assert set(went) == {"generalist", "writer"}  # the most promising of those not known yet
    assert went["writer"] / 4000 == pytest.approx(share, rel=0.2)


class Told:
    """Predictions by hand; remembers what was asked."""

    def __init__(self, *predictions: Prediction) -> None:
        self.asked: list[tuple[str, Sequence[str]]] = []
        self._predictions = predictions

    async def __call__(
        self, workspace: str, text: str, names: Sequence[str]
    ) -> Mapping[str, Prediction]:
        self.asked.append((text, names))
        return by_name(*self._predictions)


GOOD_OPS = (likely("generalist", 0.5), likely("ops", 0.9), likely("writer", 0.1))


async def test_names_and_clear_words_are_not_overruled() -> None:
    router = Router(roster.load())
    for text, hint in (
        ("@writer hello", ""),
        ("hello", "writer"),
        ("Please proofread and shorten this announcement to customers", ""),
    ):
        told = Told(*GOOD_OPS)
        run = samples.run(message=text)
        decision = await foreseen(run, router.decide(text, hint=hint), told)
        assert decision.agent.name == "writer" and decision.predicted is not None
        assert (decision.predicted["success"], told.asked[0][1]) == (0.1, ["writer"])
        assert told.asked[0][0] == text.removeprefix("@writer ")


async def test_unclear_words_are_settled_by_history() -> None:
    decision = await foreseen(
        samples.run(message="ping"), Router(roster.load()).decide("ping"), Told(*GOOD_OPS)
    )
    assert (decision.agent.name, decision.clear) == ("ops", True)
    assert decision.why.endswith("predicted success 90% [85 to 95], n=50; generalist 50%")


async def test_nobody_is_experimented_with_in_the_middle_of_a_conversation() -> None:
    router, told = Router(roster.load()), Told(likely("generalist", 0.8))
    unlucky = samples.run(message="and now?")
    while coin_of(unlucky.id) >= EXPLORED:
        unlucky = samples.run(message="and now?")
    went_on = router.decide(unlucky.message, last="generalist")
    assert (await foreseen(unlucky, went_on, told)).agent.name == "generalist"
    anew = await foreseen(unlucky, router.decide(unlucky.message), told)
    assert anew.agent.name != "generalist" and anew.predicted == {"explored": True}


async def test_without_history_the_decision_stays() -> None:
    async def broken(*_: object) -> Mapping[str, Prediction]:
        raise StorageError("gone")

    decision = Router(roster.load()).decide("ping")
    assert await foreseen(samples.run(), decision, None) == decision
    assert await foreseen(samples.run(), decision, broken) == decision
    assert await foreseen(samples.run(), decision, Told()) == replace(decision, predicted=None)


@pytest.mark.parametrize("name", ["ops", "analyst"])
def test_words_that_fit_two_alike_leave_it_open(name: str) -> None:
    decision = Router(roster.load()).decide("logs and charts")
    assert name in [agent.name for agent in decision.near]
