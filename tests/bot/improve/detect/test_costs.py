"""Dear days, dear models, budgets that run out."""

from typing import Any

import pytest

from bot.improve.detect import costs
from bot.model.budget import Budget, Period, Scope
from bot.ports.stores import Closed
from tests.bot.improve.detect.samples import T, at_once, closed, in_pages, narrowed

DAY = 86_400_000


def _days(per_day: list[int], cost: float = 0.01) -> list[Closed]:
    """So many runs on each day."""
    return [
        closed(day * 1000 + n, created_at=T + day * DAY + n, cost_usd=cost)
        for day, count in enumerate(per_day)
        for n in range(count)
    ]


def test_a_day_of_more_than_twice_the_usual_is_told_once() -> None:
    _, [seen] = at_once(costs.fold, _days([10] * 8 + [30], cost=0.25))
    assert (seen.kind, seen.agent) == ("cost", "writer")
    assert "more than twice its usual $2.50 a day" in seen.title
    assert seen.count == 21 and seen.people == 7
    assert seen.usd_week == pytest.approx((5.25 - 2.50) * 7)
    assert seen.facts["ratio"] == pytest.approx(2.1)
    assert len(seen.evidence) == 10


def test_steady_days_few_days_and_free_runs_are_not() -> None:
    assert at_once(costs.fold, _days([10] * 9))[1] == []
    assert at_once(costs.fold, _days([10] * 6 + [90]))[1] == []
    assert at_once(costs.fold, _days([10] * 8 + [90], cost=0.0))[1] == []
    assert at_once(costs.fold, [closed(1, cost_usd=None)]) == ({}, [])


@pytest.mark.parametrize("size", [1, 9, 50])
def test_any_pages_come_to_the_same(size: int) -> None:
    runs = _days([5] * 8 + [20, 3])
    assert in_pages(costs.fold, runs, size) == at_once(costs.fold, runs)


def test_what_is_known_stays_small() -> None:
    known, _ = at_once(costs.fold, _days([2] * 90))
    assert len(known["writer"]["days"]) == 35 and len(known["writer"]["top"]) == 2


def test_a_dear_model_is_told_with_a_cheaper_one() -> None:
    known, _ = at_once(costs.fold, _days([20] * 28, cost=0.02))
    price = {"big": (10.0, 30.0), "small": (1.0, 3.0), "other": (5.0, 15.0)}
    now = T + 28 * DAY
    [seen] = costs.dear_models(known, {"writer": "big", "idle": "big"}, price, now)
    assert seen.title.endswith("small would cost 90% less")
    assert (seen.facts["cheaper"], seen.facts["saves"]) == ("small", 0.9)
    assert seen.facts["success"] == 1.0 and seen.usd_week > 2
    assert costs.dear_models(known, {"writer": "small"}, price, now) == []
    assert costs.dear_models(known, {"writer": "unpriced"}, price, now) == []


def test_a_runbook_that_became_dear_is_told_with_its_agent_and_model() -> None:
    days = [narrowed(costs.Paid, run) for run in _days([10] * 8 + [30], cost=0.25)]
    runs = [(run, "refunds", "big") for run in days]
    known, seen = {}, []  # type: ignore[var-annotated]
    for start in range(0, len(runs), 7):
        seen += costs.by_runbook(known, runs[start : start + 7])
    assert [(one.kind, one.agent, one.count) for one in seen] == [("cost", "writer", 21)]
    assert seen[0].title.startswith("writer with refunds on big spends more than twice its usual")
    assert (seen[0].facts["workflow"], seen[0].facts["model"]) == ("refunds", "big")
    agent_wide = at_once(costs.fold, days)[1]
    assert seen[0].fingerprint != agent_wide[0].fingerprint
    for n in range(100):
        costs.by_runbook(known, [(runs[0][0], f"book{n}", "")])
    assert len(known) == 60


def test_the_dearest_runs_of_a_budget_are_named() -> None:
    known, _ = at_once(costs.fold, _days([4], cost=0.25))
    spent = [(Budget(Scope.AGENT, "writer", Period.DAY, 1.0), 1.0)]
    [seen] = costs.budgets(spent, {Period.DAY: 0.5}, known, {}, T)
    assert seen.title == "The budget “agent writer per day” is spent"
    assert seen.agent == "writer" and len(seen.evidence) == 4 and seen.people > 1


def test_a_budget_at_80_percent_is_told_with_what_it_would_come_to() -> None:
    def of(limit: float) -> Budget:
        return Budget(Scope.WORKSPACE, "", Period.DAY, limit)

    spent: list[tuple[Budget, float]] = [(of(10.0), 8.0), (of(10.0), 7.9), (of(0.0), 5.0)]
    [seen] = costs.budgets(spent, {Period.DAY: 0.5}, {}, {}, T)
    assert seen.title == "The budget “workspace per day” is at 80%"
    facts: Any = seen.facts
    assert (facts["limit_usd"], facts["spent_usd"], facts["needed_usd"]) == (10.0, 8.0, 16.0)
