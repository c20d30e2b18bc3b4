"""What is likely to come of a request before it is answered, and who is chosen by it; pure."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ENOUGH = 10
"""Scored runs of one agent with such requests; with fewer nothing is told apart."""

EXPLORED, MOST_EXPLORED = 0.05, 0.2
"""The share of requests, where words don't decide, that go to another agent to learn more: the
less the best known one reaches, the more there is to win."""


@dataclass(frozen=True, slots=True)
class Span:
    """What one run is likely to take: the middle, and what four of five runs lie between."""

    middle: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """For one agent and requests like this one. `success` in [0, 1] is drawn towards the agent's
    mean where little is known; `low` to `high` is its 95 % interval. `n` counts the scored runs
    it rests on; old ones fade. Latency in ms, cost in US dollars, None where nothing is known."""

    agent: str
    cluster: str
    success: float
    low: float
    high: float
    n: int
    latency_ms: Span | None = None
    cost_usd: Span | None = None

    @property
    def known(self) -> bool:
        return self.n >= ENOUGH

    def __str__(self) -> str:
        if not self.known:
            return f"not enough to tell, n={self.n}"
        interval = f"{self.low * 100:.0f} to {self.high * 100:.0f}"
        return f"predicted success {self.success:.0%} [{interval}], n={self.n}"


@dataclass(frozen=True, slots=True)
class Choice:
    """`why` is "" where the predictions change nothing."""

    agent: str
    why: str = ""
    explored: bool = False


def choose(
    predicted: Mapping[str, Prediction], near: Sequence[str], first: str, coin: float
) -> Choice:
    """Who takes a request that the words leave open. `first` is who would have it without
    predictions, `near` everyone who may, `coin` in [0, 1) decides whether to explore.

    Another agent is taken only where it is surely better: its interval lies above what `first` is
    predicted to reach. Explored is, of those of whom too little is known or who may be better, the
    most promising one: so that it is soon known.
    """
    mine = predicted.get(first)
    if mine is None or not mine.known:
        return Choice(first)
    known = [predicted[name] for name in near if name in predicted and predicted[name].known]
    better = [p for p in known if p.agent != first and p.low > mine.success]
    best = max(better, key=lambda p: (p.success, p.agent), default=mine)
    others = [name for name in near if name != best.agent and _may_be_better(predicted, name, best)]
    if others and coin < min(MOST_EXPLORED, max(EXPLORED, (1 - best.success) / 2)):
        name = max(sorted(others), key=lambda other: _promise(predicted.get(other)))
        return Choice(name, f"{_told(predicted, name)}, explored", explored=True)
    return Choice(best.agent, f"{best}; {first} {mine.success:.0%}") if better else Choice(first)


def from_json(told: Mapping[str, Any]) -> Prediction:
    """As a route step has it."""
    latency, cost = told.get("latency_ms"), told.get("cost_usd")
    return Prediction(
        agent=str(told.get("agent", "")),
        cluster=str(told.get("cluster", "")),
        success=float(told.get("success", 0.0)),
        low=float(told.get("low", 0.0)),
        high=float(told.get("high", 1.0)),
        n=int(told["n"]),
        latency_ms=Span(**latency) if latency else None,
        cost_usd=Span(**cost) if cost else None,
    )


def coin_of(run_id: str) -> float:
    """The same for the same run, wherever and however often it is tossed; in [0, 1)."""
    digest = hashlib.sha256(f"explore\x1f{run_id}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def _may_be_better(predicted: Mapping[str, Prediction], name: str, best: Prediction) -> bool:
    found = predicted.get(name)
    return found is None or not found.known or found.high > best.success


def _promise(prediction: Prediction | None) -> float:
    return prediction.success if prediction else 0.0


def _told(predicted: Mapping[str, Prediction], name: str) -> str:
    found = predicted.get(name)
    return str(found) if found else "not enough to tell, n=0"
