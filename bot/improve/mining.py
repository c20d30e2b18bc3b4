"""The folds over requests, together: what they are about, the steps they took, gaps, predictions.

Two states, each with a mark of its own: of runs as they closed ("clusters", "patterns", "gaps" and
what runs took), and of runs as they got an outcome (the success of all these). Pure.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from bot.agents.router import without_mention
from bot.improve.clusters import Clusters
from bot.improve.detect.costs import by_runbook
from bot.improve.detect.seen import Seen
from bot.improve.distinct import mark
from bot.improve.gaps import Asked, Gaps
from bot.improve.patterns import Patterns, Walk
from bot.improve.predictor import Predictor
from bot.model.run import RunStatus
from bot.ports.stores import Closed

POOR = 0.5
"""An outcome below this is a bad one."""
_LATELY, _KINDS = 6, 512
_DONE = frozenset({RunStatus.SUCCEEDED.value, RunStatus.FAILED.value})


class OfClosed:
    """`known` is the state so far, taken over, `in_use` the version of each agent in use. Others
    read `dump()`["clusters"]: a `Clusters`."""

    def __init__(self, known: Mapping[str, Any], in_use: Mapping[str, int]) -> None:
        self._in_use = in_use
        self.clusters = Clusters(known.get("clusters"))
        self.patterns = Patterns(known.get("patterns"))
        self.gaps = Gaps(known.get("gaps"))
        self.predictor = Predictor(known.get("predictor"))
        self._spent: dict[str, Any] = known.get("spent") or {}

    def fold(
        self,
        run: Closed,
        path: str,
        said: tuple[str, str] | None,
        granted: Collection[str],
        model: str = "",
    ) -> list[Seen]:
        """`said` is how message and answer begin, None where that is not looked at; `granted` the
        tools that its agent has, `model` its own. Says what is seen by a run alone: a runbook that
        became dear."""
        if run.status not in _DONE:
            return []
        cluster = self.clusters.learn(without_mention(said[0], run.agent)) if said else ""
        self.patterns.steps_taken(_walk(run, path))
        self.predictor.closed(
            cluster,
            run.agent,
            run.version,
            run.latency_ms,
            run.cost_usd,
            self._in_use.get(run.agent, 0),
        )
        seen: list[Seen] = []
        if "runbook:" in path:
            named = [s.removeprefix("runbook:") for s in path.split("|") if s[:8] == "runbook:"]
            books = (name.partition("@")[0] for name in named)
            seen = by_runbook(self._spent, [(run, book, model) for book in dict.fromkeys(books)])
        if said is None:
            return seen
        message, answer = said
        self.gaps.closed(
            Asked(
                run.id,
                cluster,
                run.agent,
                run.conversation,
                run.person,
                message,
                answer,
                path,
                run.error_type,
                run.created_at,
            ),
            granted,
        )
        return seen

    def dump(self) -> dict[str, Any]:
        return {
            "clusters": self.clusters.dump(),
            "patterns": {"taken": self.patterns.dump()["taken"]},
            "gaps": _without(self.gaps.dump(), "again"),
            "predictor": {"took": self.predictor.dump()["took"]},
            "spent": self._spent,
        }


class OfScored:
    """`clusters` are those that the other fold has come to; they are only looked at."""

    def __init__(
        self, known: Mapping[str, Any], clusters: Clusters, in_use: Mapping[str, int]
    ) -> None:
        self._clusters, self._in_use = clusters, in_use
        self._poor: dict[str, list[list[Any]]] = known.get("poor") or {}
        self.patterns = Patterns(known.get("patterns"))
        self.gaps = Gaps(known.get("gaps"))
        self.predictor = Predictor(known.get("predictor"))

    def fold(self, run: Closed, path: str, said: tuple[str, str]) -> None:
        if run.status not in _DONE or run.y is None:
            return
        cluster = self._clusters.of(without_mention(said[0], run.agent))
        self.patterns.judged(_walk(run, path))
        in_use = self._in_use.get(run.agent, 0)
        self.predictor.judged(cluster, run.agent, run.version, run.y, in_use)
        self.gaps.judged(run.id, cluster, run.person, run.y, run.source)
        if cluster and run.y < POOR and run.version == in_use:
            self._disliked(f"{cluster} {run.agent}", run)

    def _disliked(self, key: str, run: Closed) -> None:
        """The newest of each; what nobody disliked for long is forgotten first."""
        self._poor[key] = [*self._poor.pop(key, [])[1 - _LATELY :], [run.id, mark(run.person)]]
        if len(self._poor) > _KINDS:
            del self._poor[next(iter(self._poor))]

    def dump(self) -> dict[str, Any]:
        return {
            "patterns": _without(self.patterns.dump(), "taken"),
            "gaps": {"again": self.gaps.dump()["again"]},
            "predictor": _without(self.predictor.dump(), "took"),
            "poor": self._poor,
        }


class Mined:
    """What both come to. How well an agent serves each kind of request: `predictor.success()`; the
    words of a kind: `clusters.terms(id)`."""

    def __init__(self, closed: Mapping[str, Any], scored: Mapping[str, Any]) -> None:
        self.clusters = Clusters(closed.get("clusters"))
        self.patterns = Patterns(_joined(closed, scored, "patterns"))
        self.gaps = Gaps(_joined(closed, scored, "gaps"))
        self.predictor = Predictor(_joined(closed, scored, "predictor"))
        self._poor: Mapping[str, list[list[Any]]] = scored.get("poor") or {}

    def disliked(self, cluster: str, agent: str) -> Sequence[tuple[str, int]]:
        """Answers to such requests that went badly, the newest last: each run, and a mark of who
        asked."""
        return [(str(run), int(who)) for run, who in self._poor.get(f"{cluster} {agent}", ())]


def _joined(closed: Mapping[str, Any], scored: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {**(closed.get(name) or {}), **(scored.get(name) or {})}


def _without(state: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in state.items() if key != name}


def _walk(run: Closed, path: str) -> Walk:
    return Walk(run.id, run.agent, run.conversation, run.person, path, run.y, run.created_at)
