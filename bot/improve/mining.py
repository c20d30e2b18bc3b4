"""The folds over requests, together: what they are about, the steps they took, gaps, predictions.

Two states, each with a mark of its own: of runs as they closed ("clusters", "patterns", "gaps" and
what runs took), and of runs as they got an outcome (the success of all these). Pure.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from bot.agents.router import without_mention
from bot.improve.clusters import Clusters
from bot.improve.detect.costs import Paid, by_runbook
from bot.improve.detect.seen import Seen
from bot.improve.distinct import mark
from bot.improve.gaps import Asked, Gaps
from bot.improve.patterns import Patterns
from bot.improve.predictor import Predictor
from bot.improve.walks import Walk
from bot.model.run import RunStatus

POOR = 0.5
"""An outcome below this is a bad one."""
_LATELY, _KINDS = 6, 512
_NOTHING = ("", "")
_DONE = frozenset({RunStatus.SUCCEEDED.value, RunStatus.FAILED.value})


class Ended(NamedTuple):
    """What is read of a closed run."""

    id: str
    created_at: int
    scored_at: int
    status: str
    conversation: str
    person: str
    agent: str
    version: int
    y: float | None
    latency_ms: int
    cost_usd: float | None
    tokens_in: int
    tokens_out: int
    error_type: str


class Judged(NamedTuple):
    """What is read of a scored run."""

    id: str
    created_at: int
    scored_at: int
    status: str
    conversation: str
    person: str
    agent: str
    version: int
    y: float | None
    source: str


Said = tuple[str, str]
"""How message and answer begin."""
Version = tuple[str, int]
Means = tuple[Collection[str], str]
"""The tools of an agent's version, and its own model."""


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
        page: Iterable[Ended],
        paths: Mapping[str, str],
        said: Mapping[str, Said],
        means: Mapping[Version, Means],
    ) -> list[Seen]:
        """`paths` and `said` by run: what a run was about is looked at where it is in `said`. Says
        what is seen by runs alone: a runbook that became dear."""
        runs = [(run, paths.get(run.id, "")) for run in page if run.status in _DONE]
        for run, path in runs:
            self.patterns.steps_taken(_walk(run, path))
            about = said.get(run.id)
            cluster = self.clusters.learn(without_mention(about[0], run.agent)) if about else ""
            in_use = self._in_use.get(run.agent, 0)
            self.predictor.closed(
                cluster, run.agent, run.version, run.latency_ms, run.cost_usd, in_use
            )
            if about:
                tools, _ = means[run.agent, run.version]
                self.gaps.closed(_asked(run, cluster, about, path), tools, self._in_use)
        return by_runbook(
            self._spent,
            [
                (_paid(run), book, means[run.agent, run.version][1])
                for run, path in runs
                if "runbook:" in path
                for book in _books(path)
            ],
        )

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

    def fold(
        self, page: Iterable[Judged], paths: Mapping[str, str], said: Mapping[str, Said]
    ) -> None:
        for run in page:
            if run.status in _DONE and run.y is not None:
                message, _ = said.get(run.id, _NOTHING)
                self._judged(run, run.y, paths.get(run.id, ""), message)

    def _judged(self, run: Judged, y: float, path: str, message: str) -> None:
        cluster = self._clusters.of(without_mention(message, run.agent))
        self.patterns.judged(_walk(run, path, y))
        in_use = self._in_use.get(run.agent, 0)
        self.predictor.judged(cluster, run.agent, run.version, y, in_use)
        self.gaps.judged(run.id, cluster, run.person, y, run.source)
        if cluster and y < POOR and run.version == in_use:
            self._disliked(f"{cluster} {run.agent}", run)

    def _disliked(self, key: str, run: Judged) -> None:
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


def _walk(run: Ended | Judged, path: str, y: float | None = None) -> Walk:
    return Walk(run.id, run.agent, run.conversation, run.person, path, y, run.created_at)


def _asked(run: Ended, cluster: str, said: Said, path: str) -> Asked:
    message, answer = said
    return Asked(
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
    )


def _paid(run: Ended) -> Paid:
    return Paid(*(getattr(run, name) for name in Paid._fields))


def _books(path: str) -> Iterable[str]:
    """The runbooks that were followed, each once."""
    kinds = (step.partition(":") for step in path.split("|"))
    return dict.fromkeys(name.partition("@")[0] for kind, _, name in kinds if kind == "runbook")
