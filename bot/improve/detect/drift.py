"""Whether an agent's version takes longer or costs more than it used to: a robust CUSUM; pure.

Of each answered run z = (ln x - median) / (1.4826·MAD), cut at ±3; S = max(0, S + z - 0.25). It
fires at 12 and is then confirmed by the 20 runs that follow: their median must be a fifth higher,
and 14 of them above the old one. Median and MAD come from blocks of 100 runs of quiet times, the
first of 50; S takes the median one standard error high.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import exp, log, sqrt
from statistics import median
from typing import Any, NamedTuple

from bot.improve.detect.seen import EVIDENCE, Seen
from bot.improve.detect.versions import slot, week_of
from bot.improve.facts import REGRESSION
from bot.model.run import RunStatus
from bot.model.stats import wilson
from bot.model.words import duration, usd

ALARM = 12.0
_SLACK, _CUT, _LEAST = 0.25, 3.0, 0.05
_FIRST, _BLOCK, _MOST = 50, 100, 400
_CONFIRMING, _ABOVE, _RATIO = 20, 14, 1.2
_TOLD = 5
_MEASURES = ("latency", "cost")
_DONE = RunStatus.SUCCEEDED.value


class Took(NamedTuple):
    """What is read of a closed run."""

    id: str
    created_at: int
    scored_at: int
    status: str
    person: str
    agent: str
    version: int
    latency_ms: int
    cost_usd: float | None


def fold(known: dict[str, Any], page: Iterable[Took]) -> list[Seen]:
    """Closed runs. `known` is {agent: {version: numbers}}."""
    seen: list[Seen | None] = []
    for run in page:
        if run.agent and run.status == _DONE:
            at = slot(known, run.agent, run.version, run.created_at, _fresh)
            at["n"] += 1
            if (took := run.latency_ms) > 0:
                seen.append(_one(at, "latency", log(took), run))
            if (cost := run.cost_usd) and cost > 0:
                seen.append(_one(at, "cost", log(cost), run))
    return [one for one in seen if one]


def _fresh(before: Mapping[str, Any] | None) -> dict[str, Any]:
    measures: dict[str, Any] = {
        name: {
            "base": list(before[name]["base"]) if before else [0, 0.0, 0.0],
            "block": [],
            "s": 0.0,
            "span": [],
            "then": -1,
            "since": [0, 0],
            "told": 0,
        }
        for name in _MEASURES
    }
    return {"n": 0, **measures}


def _one(at: dict[str, Any], name: str, x: float, run: Took) -> Seen | None:
    own, seen = at[name], None
    if own["base"][0] and _strikes(own, x, run, at["n"]):
        own["then"] = -1
        if _confirmed(own):
            seen = _seen(at, name, run)
            _goes_on(own)
        else:
            own["s"] = 0.0
    if own["s"] < ALARM / 2:
        _learn(own, x)
    return seen


def _strikes(own: dict[str, Any], x: float, run: Took, count: int) -> bool:
    """Whether it has fired and the runs that are to confirm it are all there."""
    s = own["s"]
    if own["then"] >= 0:
        own["then"] += 1
    else:
        n, middle, spread = own["base"]
        z = (x - middle) / spread - 1.25 / sqrt(n)
        more = (_CUT if z > _CUT else -_CUT if z < -_CUT else z) - _SLACK
        if s == 0:
            if more <= 0:  # most runs of quiet times end here
                return False
            own["since"], own["span"], own["told"] = [count, run.created_at], [], 0
        own["s"] = s = s + more if s + more > 0 else 0.0
        if s >= ALARM:
            own["then"] = 0
    if s > 0:
        span = own["span"]
        span.append([round(x, 4), run.id, run.person])
        if len(span) > EVIDENCE:
            del span[:-EVIDENCE]
    return bool(own["then"] >= _CONFIRMING)


def _confirmed(own: dict[str, Any]) -> bool:
    middle = own["base"][1]
    values = [row[0] for row in own["span"][-_CONFIRMING:]]
    higher = bool(median(values) >= middle + log(_RATIO))
    return higher and sum(x > middle for x in values) >= _ABOVE


def _goes_on(own: dict[str, Any]) -> None:
    """It is told again where it lasts; told five times, it is how things are now."""
    own["s"], own["told"] = ALARM / 2, own["told"] + 1
    if own["told"] == _TOLD:
        values = [row[0] for row in own["span"]]
        own["base"], own["block"], own["s"] = [len(values), *_middle(values)], [], 0.0


def _middle(values: Sequence[float]) -> tuple[float, float]:
    middle = median(values)
    return middle, max(1.4826 * median(abs(x - middle) for x in values), _LEAST)


def _learn(own: dict[str, Any], x: float) -> None:
    block = own["block"]
    block.append(round(x, 4))
    if len(block) < _FIRST:
        return
    n, middle, spread = own["base"]
    if n and len(block) < _BLOCK:
        return
    new, width = _middle(block)
    share = len(block) / (n + len(block))
    own["base"] = [
        min(n + len(block), _MOST),
        middle + (new - middle) * share,
        spread + (width - spread) * share,
    ]
    own["block"] = []


def _seen(at: dict[str, Any], name: str, run: Took) -> Seen:
    span, (_, middle, _) = at[name]["span"], at[name]["base"]
    before, now = exp(middle), exp(median(row[0] for row in span))
    below = wilson(sum(row[0] > middle for row in span), len(span))[0]
    began, since = at[name]["since"]
    count = at["n"] - began + 1
    took = name == "latency"
    said = [duration(value) if took else usd(value) for value in (before, now)]
    more = "takes longer" if took else "costs more"
    title = f"{run.agent} v{run.version} {more}: {said[1]} a run, {said[0]} before"
    wasted = 0.0 if took else (now - before) * count
    return Seen(
        REGRESSION,
        run.agent,
        f"{name}:v{run.version}",
        title,
        f"{title} (medians). It began about {count} runs ago.",
        tuple(row[1] for row in span),
        count=count,
        people=len({row[2] for row in span}),
        usd_week=week_of(wasted, since, run.created_at),
        confidence=below,
        facts={
            "measure": name,
            "version": run.version,
            "before": round(before, 6),
            "after": round(now, 6),
            "runs": count,
            "earlier": began - 1,
            "first": at["first"],
            "since": since,
            "until": run.created_at,
        },
    )
