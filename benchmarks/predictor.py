"""The predictor on made requests whose truth is known: is what it says so, does choosing by it help."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import exp
from random import Random

from bot.improve.calibration import Calibrated, calibrated
from bot.improve.clusters import Clusters
from bot.improve.predictor import Predictor
from bot.model.prediction import choose

AGENTS = ("generalist", "analyst", "ops", "researcher", "writer")
FIRST = "generalist"
_KINDS = (
    "how long is the refund window for {}",
    "the deploy of {} failed, how do I roll it back",
    "weekly revenue growth of {} in percent",
    "translate the announcement about {} into german",
    "who is on vacation in {}",
    "summarise the contract with {} for legal",
    "book the meeting room for {}",
    "write a thank you note to {}",
)
_PLACES = ("May", "the shop", "Acme", "billing", "the mobile app", "June", "Falcon", "Berlin")
_RUNS, _SEEN = 6_000, 0.3
_WARM = 1_000


@dataclass(frozen=True, slots=True)
class Figures:
    """`covered` is the share of predictions whose 95 % interval held the true success rate.
    Successes are true rates of whom requests went to, after the first 1,000."""

    calibration: Calibrated
    oracle_brier: float
    covered: float
    first: float
    chosen: float
    best: float
    explored: float
    latency_covered: float
    predict_ms: float


@dataclass(frozen=True, slots=True)
class _Request:
    kind: int
    text: str


def figures(seed: int = 5) -> Figures:
    """Requests come to a roster whose agents are unlike good at eight kinds of request, in ways
    that nobody is told; 30 % get an outcome."""
    random = Random(seed)
    truth = {(k, a): random.uniform(0.3, 0.95) for k in range(len(_KINDS)) for a in AGENTS}
    clusters, predictor = Clusters(), Predictor()
    pairs: list[tuple[float, float]] = []
    oracle: list[tuple[float, float]] = []
    held = spans = within = explored = 0
    rates: dict[str, list[float]] = {"first": [], "chosen": [], "best": []}
    for n, request in enumerate(_requests(random)):
        cluster = clusters.of(request.text)
        predicted = {a: predictor.predict(cluster, a) for a in AGENTS}
        taken = choose(predicted, AGENTS, FIRST, random.random())
        true = truth[request.kind, taken.agent]
        y, took = float(random.random() < true), exp(random.gauss(7, 0.4) + request.kind / 8)
        known = predicted[taken.agent]
        explored += taken.explored
        if known.known:
            pairs.append((known.success, y))
            oracle.append((true, y))
            held += known.low <= true <= known.high
        if known.latency_ms and n >= _WARM:
            spans += 1
            within += known.latency_ms.low <= took <= known.latency_ms.high
        if n >= _WARM:
            rates["first"].append(truth[request.kind, FIRST])
            rates["chosen"].append(true)
            rates["best"].append(max(truth[request.kind, a] for a in AGENTS))
        cluster = clusters.learn(request.text)
        predictor.closed(cluster, taken.agent, 1, took, 0.002)
        if random.random() < _SEEN:
            predictor.judged(cluster, taken.agent, 1, y)
    means = {name: sum(of) / len(of) for name, of in rates.items()}
    return Figures(
        calibrated(pairs),
        calibrated(oracle).brier,
        held / len(pairs),
        means["first"],
        means["chosen"],
        means["best"],
        explored / _RUNS,
        within / spans,
        _timed(clusters, predictor, random),
    )


def _requests(random: Random) -> Iterator[_Request]:
    for _ in range(_RUNS):
        kind = random.randrange(len(_KINDS))
        yield _Request(kind, _KINDS[kind].format(random.choice(_PLACES)))


def _timed(clusters: Clusters, predictor: Predictor, random: Random) -> float:
    """Median ms for what a message costs: its cluster, and every agent's prediction."""
    took = []
    for request in list(_requests(random))[:2_000]:
        begun = time.perf_counter()
        cluster = clusters.of(request.text)
        found: Mapping[str, object] = {a: predictor.predict(cluster, a) for a in AGENTS}
        took.append(time.perf_counter() - begun)
        assert len(found) == len(AGENTS)
    return sorted(took)[len(took) // 2] * 1000
