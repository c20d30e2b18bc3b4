"""What history predicts, in memory: read when a job has folded more of it, asked for every request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot.improve.clusters import Clusters
from bot.improve.mining import Mined
from bot.improve.predictor import Predictor
from bot.model.prediction import Prediction
from bot.ports.clock import Clock
from bot.ports.stores import State, States

CLOSED, SCORED = "mining", "mining.scored"
"""The states that hold what is known: of runs as they closed, and as they got an outcome."""

_FRESH_S = 300.0
_WORKSPACES = 32


@dataclass(frozen=True, slots=True)
class Known:
    """What the folds come to: nothing of it is changed any more."""

    clusters: Clusters
    predictor: Predictor
    read_at: float
    closed: State = field(default_factory=State)
    scored: State = field(default_factory=State)


class Forecast:
    """Reads once in five minutes what another node may have folded; until then it costs no I/O."""

    def __init__(self, states: States, clock: Clock) -> None:
        self._states, self._clock = states, clock
        self._known: dict[str, Known] = {}

    async def predict(
        self, workspace: str, text: str, agents: Sequence[str]
    ) -> Mapping[str, Prediction]:
        """Of those agents that something is known about, what is likely of this request."""
        known = self._known.get(workspace)
        if known is None or self._clock.monotonic() - known.read_at > _FRESH_S:
            known = await self.refresh(workspace)
        cluster = known.clusters.of(text)
        found = {name: known.predictor.predict(cluster, name) for name in agents}
        return {name: p for name, p in found.items() if p.n or p.latency_ms}

    async def refresh(self, workspace: str) -> Known:
        """Reads what has been folded since. Who asks meanwhile is told what was known before."""
        now = self._clock.monotonic()
        before = self._known.pop(workspace, None) or Known(Clusters(), Predictor(), now)
        self._known[workspace] = before = replace(before, read_at=now)
        for oldest in list(self._known)[:-_WORKSPACES]:
            del self._known[oldest]
        closed = await self._states.since(workspace, CLOSED, before.closed.revision)
        scored = await self._states.since(workspace, SCORED, before.scored.revision)
        if closed is None and scored is None:
            return before
        closed, scored = closed or before.closed, scored or before.scored
        both = Mined(known_of(closed.state), known_of(scored.state))
        known = Known(both.clusters, both.predictor, now, closed, scored)
        self._known[workspace] = known
        return known


def known_of(state: Mapping[str, Any]) -> dict[str, Any]:
    return dict(state.get("known") or {})
