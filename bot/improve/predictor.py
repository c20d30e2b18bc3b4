"""From history to what is likely, per cluster of requests and agent; small data says so; pure.

Two folds: `closed` for what runs took, `judged` for how good they were. Success is drawn towards
the agent's own mean, and that towards everyone's, as if a few such runs had been seen already. Old
runs fade, and a version that comes into use begins with little more than that mean. It is the
version in use that is predicted: what a trial's candidate does counts once it is in use.
"""

from collections.abc import Mapping, Sequence
from math import exp, log, sqrt
from typing import Any

from bot.improve.calibration import Calibrated, Calibration
from bot.model.prediction import ENOUGH, Prediction, Span
from bot.model.stats import wilson

PRIOR = 6.0
"""Runs that the agent's mean counts as."""
HALVED_AT = 400.0
"""From so many runs on, those before count half."""
CARRIED = 20.0
"""At most so many runs of an earlier version still count."""
CELLS = 512
"""Pairs of cluster and agent; up to twice as many between two clearings."""

_FEW = 5  # runs before a span is told
_Z80 = 1.281552
_UNKNOWN = 0.5


class Predictor:
    """The folds and their state, which is JSON. By "cluster agent" and by "agent" alone:
    "good" [version, scored, sum of y] and "took" [version, runs, sum and sum of squares of log ms,
    runs of known cost, sum and sum of squares of log $], and "said", a `Calibration`."""

    def __init__(self, state: Mapping[str, Any] | None = None, most: int = CELLS) -> None:
        """`state` is taken over, not copied."""
        kept = state or {}
        self._most = most
        self._good: dict[str, list[float]] = kept.get("good") or {}
        self._took: dict[str, list[float]] = kept.get("took") or {}
        self._said = Calibration(kept.get("said") or ())

    def dump(self) -> dict[str, Any]:
        return {"good": self._good, "took": self._took, "said": self._said.dump()}

    def closed(
        self,
        cluster: str,
        agent: str,
        version: int,
        latency_ms: float,
        cost_usd: float | None,
        in_use: int = 0,
    ) -> None:
        """A run that ended by itself, once. `in_use` is the version of that agent in use now, 0
        for one that isn't in the roster."""
        spent = log(cost_usd) if cost_usd else None
        took = log(max(1.0, latency_ms))
        table = self._took
        for key in _keys(cluster, agent):
            cell = table.get(key)
            if cell is None or cell[0] != version or version != in_use:
                if not _counts(cell, version, in_use):
                    continue
                cell = _cell(table, key, version, 7, in_use)
            cell[1] += 1
            cell[2] += took
            cell[3] += took * took
            if spent is not None:
                cell[4] += 1
                cell[5] += spent
                cell[6] += spent * spent
            if cell[1] >= HALVED_AT:
                _scale(cell, 0.5)
        if len(table) > 2 * self._most:
            self._took = _bounded(table, self._most)

    def judged(self, cluster: str, agent: str, version: int, y: float, in_use: int = 0) -> None:
        """A run that got its first outcome, once; what was predicted for it is noted first."""
        if not _counts(self._good.get(_key("", agent)), version, in_use):
            return
        n, success = self._success(cluster, agent)
        if int(n) >= ENOUGH:
            self._said.came(success, y)
        for key in (*_keys(cluster, agent), ""):
            cell = _cell(self._good, key, version if key else 0, 3, in_use if key else 0)
            cell[1] += 1
            cell[2] += y
            _fade(cell)
        self._good = _bounded(self._good, self._most)

    def predict(self, cluster: str, agent: str) -> Prediction:
        """What is likely of a request of this cluster ("" for none) with this agent now."""
        n, success = self._success(cluster, agent)
        low, high = wilson(success * (n + PRIOR), round(n + PRIOR))
        return Prediction(
            agent=agent,
            cluster=cluster,
            success=round(success, 4),
            low=round(low, 4),
            high=round(high, 4),
            n=int(n),
            latency_ms=self._span(cluster, agent, 1),
            cost_usd=self._span(cluster, agent, 4),
        )

    def agents(self, cluster: str) -> Mapping[str, tuple[int, float]]:
        """For each agent that such requests went to: scored runs and the sum of their outcomes."""
        start = f"{cluster} "
        return {
            key.removeprefix(start): (int(cell[1]), cell[2])
            for key, cell in self._good.items()
            if key.startswith(start)
        }

    def success(self) -> Mapping[str, Mapping[str, tuple[int, float]]]:
        """{agent: {cluster: (scored runs, sum of their outcomes)}}: what shows that one agent
        serves two kinds of requests unlike well. Runs of no cluster are left out."""
        found: dict[str, dict[str, tuple[int, float]]] = {}
        for key, cell in self._good.items():
            cluster, _, agent = key.partition(" ")
            if cluster and agent:
                found.setdefault(agent, {})[cluster] = (int(cell[1]), cell[2])
        return found

    def calibration(self) -> Calibrated:
        """Of every prediction made before its outcome was known."""
        return self._said.found()

    def _success(self, cluster: str, agent: str) -> tuple[float, float]:
        """(runs that it rests on, what is likely)"""
        mine = self._good.get(_key(cluster, agent)) or _NONE
        return mine[1], (mine[2] + PRIOR * self._mean(agent)) / (mine[1] + PRIOR)

    def _mean(self, agent: str) -> float:
        whole = self._good.get("") or _NONE
        everyone = (whole[2] + _UNKNOWN) / (whole[1] + 1)
        own = self._good.get(_key("", agent)) or _NONE
        return (own[2] + PRIOR * everyone) / (own[1] + PRIOR)

    def _span(self, cluster: str, agent: str, at: int) -> Span | None:
        """Of a lognormal, from the cell or, where it holds too little, from the agent's whole."""
        for key in _keys(cluster, agent):
            cell = self._took.get(key)
            if cell and cell[at] >= _FEW:
                n, total, squares = cell[at : at + 3]
                mean = total / n
                spread = sqrt(max(0.0, squares / n - mean * mean) * (1 + 1 / n))
                low, high = exp(mean - _Z80 * spread), exp(mean + _Z80 * spread)
                return Span(_round(exp(mean)), _round(low), _round(high))
        return None


_NONE: Sequence[float] = (0, 0.0, 0.0)


def _key(cluster: str, agent: str) -> str:
    return f"{cluster} {agent}"


def _keys(cluster: str, agent: str) -> tuple[str, ...]:
    return (_key(cluster, agent), _key("", agent)) if cluster else (_key("", agent),)


def _counts(cell: Sequence[float] | None, version: int, in_use: int) -> bool:
    """Of versions not in use only those before it count, as long as it hasn't been seen itself:
    others are tried, were taken back, or are heard of late."""
    if not in_use or version == in_use:
        return True
    return version < in_use and (cell is None or cell[0] <= version)


def _cell(
    table: dict[str, list[float]], key: str, version: int, size: int, in_use: int
) -> list[float]:
    """As it counts for this version: what is known of an older one counts for little."""
    cell = table.get(key)
    if cell is None:
        cell = table[key] = [version, *([0] * (size - 1))]
    elif version > cell[0] or version == in_use != cell[0]:
        cell[0] = version
        if cell[1] > CARRIED:
            _scale(cell, CARRIED / cell[1])
    return cell


def _fade(cell: list[float]) -> None:
    if cell[1] >= HALVED_AT:
        _scale(cell, 0.5)


def _scale(cell: list[float], by: float) -> None:
    for at in range(1, len(cell)):
        cell[at] *= by


def _bounded(table: dict[str, list[float]], most: int) -> dict[str, list[float]]:
    """Without the pairs that were seen least; those of agents alone stay as long as they can."""
    if len(table) <= 2 * most:
        return table
    ranked = sorted(table, key=lambda key: (key.partition(" ")[0] != "", -table[key][1], key))
    return {key: table[key] for key in ranked[:most]}


def _round(value: float) -> float:
    return float(f"{value:.4g}")
