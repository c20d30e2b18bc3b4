"""Whether an agent's version succeeds less than it used to: a Shiryaev-Roberts e-detector; pure.

For each scored run with outcome y and a mean m of the runs before it, `M = (1 + M)·(1 + λ·(m - y))`
for two λ; it fires when the mean of both reaches 5,000. While success is at least m, 1 + λ·(m - y)
is 1 or less on average, so that M minus the number of runs never grows on average and the mean
number of runs to a false alarm is at least 5,000. m is taken half a standard error low, and from
runs that are at least a block of 40 old, so that a fall is not learned before it is seen.

The same statistic with its sign turned, over m half a standard error high, tells when success has
risen. m is then learned anew from the 60 runs that follow: a version that is better than the one it
inherited from, or that has recovered, would else have a long way to fall before anyone is told.
"""

from collections.abc import Iterable, Mapping
from math import log, sqrt
from statistics import NormalDist
from typing import Any, NamedTuple

from bot.improve.detect.seen import EVIDENCE, Seen
from bot.improve.detect.versions import slot, week_of
from bot.improve.facts import REGRESSION

ALARM = 5_000.0
_SLIGHT, _STEEP = 0.15, 0.3
"""Falls that the two λ are best for."""
_FIRST, _AGAIN, _BLOCK, _MOST = 30, 60, 40, 1_000
_INHERITED = 200
_OFF = 0.5
"""How many of its standard errors m is taken low, or high."""
_FAR = 15.0  # a fall that has lasted long is over as soon as one that has not
_NORMAL = NormalDist()
_NOT_RISEN: Mapping[str, Any] = {"up": (0.0, 0.0), "again": None}


class Judged(NamedTuple):
    """What is read of a scored run."""

    id: str
    created_at: int
    scored_at: int
    status: str
    person: str
    agent: str
    version: int
    y: float | None
    cost_usd: float | None


def fold(known: dict[str, Any], page: Iterable[Judged]) -> list[Seen]:
    """Scored runs in the order of their outcomes. `known` is {agent: {version: numbers}}."""
    seen = [_one(known, run, run.y) for run in page if run.agent and run.y is not None]
    return [one for one in seen if one]


def _one(known: dict[str, Any], run: Judged, y: float) -> Seen | None:
    at, seen = slot(known, run.agent, run.version, run.created_at, _fresh), None
    at["n"] += 1
    if "up" not in at:  # written before rises were looked for
        at |= _NOT_RISEN
    n, total = at["base"]
    if n:
        mean = (total + 1) / (n + 2)
        off = _OFF * sqrt(max(mean * (1 - mean), 0.02) / n)
        if _strikes(at, min(max(mean - off, 0.05), 0.98), y, run):
            seen = _seen(at, run, total / n)
            at["m"] = [0.0, 0.0]
        if at["again"]:
            _learn_again(at, y)
        elif _rises(at, min(max(mean + off, 0.02), 0.95), y):
            at["again"] = [0, 0.0]
    _learn(at, y)
    return seen


def _fresh(before: Mapping[str, Any] | None) -> dict[str, Any]:
    """A new version is measured against what the one before it reached."""
    n, total = before["base"] if before else (0, 0.0)
    part = min(1.0, _INHERITED / n) if n else 0.0
    return {
        "n": 0,
        "base": [n * part, total * part],
        "held": [0, 0.0],
        "block": [0, 0.0],
        "m": [0.0, 0.0],
        "w": 0.0,
        "span": [0, 0.0, 0.0, 0],
        "bad": [],
        **_NOT_RISEN,
    }


def _strikes(at: dict[str, Any], m: float, y: float, run: Judged) -> bool:
    slight, steep = _factors(m - y, m * (1 - m), 0.9 / (1 - m))
    first, second = at["m"]
    at["m"] = first, second = [(1 + first) * slight, (1 + second) * steep]
    w = at["w"] + log(slight)
    if w <= 0:  # the fall, if there is one, began after this run
        if at["w"]:
            at["w"], at["span"], at["bad"] = 0.0, [0, 0.0, 0.0, 0], []
    else:
        at["w"] = min(w, _FAR)
        span = at["span"]
        span[0] += 1
        span[1] += y
        span[2] += run.cost_usd or 0.0
        span[3] = span[3] or run.created_at
        if y < 0.5:
            at["bad"] = [*at["bad"], [run.id, run.person]][-EVIDENCE:]
    return bool(first + second >= 2 * ALARM)


def _rises(at: dict[str, Any], m: float, y: float) -> bool:
    slight, steep = _factors(y - m, m * (1 - m), 0.9 / m)
    first, second = at["up"]
    at["up"] = first, second = [(1 + first) * slight, (1 + second) * steep]
    return bool(first + second >= 2 * ALARM)


def _factors(gain: float, variance: float, most: float) -> tuple[float, float]:
    """What a run changes the two wealths by."""
    slight, steep = _SLIGHT / variance, _STEEP / variance
    return (
        1 + (slight if slight < most else most) * gain,
        1 + (steep if steep < most else most) * gain,
    )


def _learn_again(at: dict[str, Any], y: float) -> None:
    """Until it is known what was reached, falls are measured from where success was."""
    n, total = at["again"]
    at["again"] = [n + 1, total + y]
    if n + 1 >= _AGAIN:
        at |= {"base": at["again"], "held": [0, 0.0], "block": [0, 0.0], **_NOT_RISEN}


def _learn(at: dict[str, Any], y: float) -> None:
    block = at["block"]
    block[0] += 1
    block[1] += y
    if at["base"][0] == 0:
        if block[0] >= _FIRST:
            at["base"], at["block"] = block, [0, 0.0]
    elif block[0] >= _BLOCK:
        n, total = at["base"][0] + at["held"][0], at["base"][1] + at["held"][1]
        part = min(1.0, _MOST / n)
        at["base"], at["held"], at["block"] = [n * part, total * part], block, [0, 0.0]


def _seen(at: dict[str, Any], run: Judged, before: float) -> Seen:
    count, total, usd, since = at["span"]
    now = total / count
    error = sqrt(max(now * (1 - now), 0.02) / count + before * (1 - before) / at["base"][0])
    lost = max(0.0, before - now) * usd  # what the answers cost that would have been good before
    name = f"{run.agent} v{run.version}"
    title = f"{name} succeeds less: {now:.0%} of its last {count} scored runs, {before:.0%} before"
    return Seen(
        REGRESSION,
        run.agent,
        f"success:v{run.version}",
        title,
        f"{title}. It began about {count} scored runs ago.",
        tuple(id for id, _ in at["bad"]),
        count=count,
        people=len({person for _, person in at["bad"]}),
        usd_week=week_of(lost, since, run.created_at),
        confidence=_NORMAL.cdf((before - now) / error),
        facts={
            "measure": "success",
            "version": run.version,
            "before": round(before, 4),
            "after": round(now, 4),
            "success": round(now, 4),
            "baseline": round(before, 4),
            "scored": count,
            "runs": count,
            "earlier": at["n"] - count,
            "first": at["first"],
            "since": since,
            "until": run.created_at,
        },
    )
