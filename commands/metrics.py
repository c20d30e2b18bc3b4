"""/metrics: runs, success, latency, cost and errors, per agent version, with a picture."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from bot.command import Ask, Command
from bot.model.message import Button, Card, Field, Picture, Reply
from bot.model.stats import wilson
from bot.model.words import count, duration, one_line, share, usd
from bot.numbers import Totals, coverage, success, totals
from bot.pictures import of_versions
from bot.places import is_own, spoken_in
from bot.ports.stores import Bucket
from commands.metrics_costs import costs
from commands.metrics_predictor import predictor
from commands.parsing import closest, wrong

log = structlog.get_logger()

_DAY = 86_400_000
_DEFAULT_DAYS, _MOST_DAYS = 30, 365
_DAYS = re.compile(r"(\d{1,4})(?:d|days?)?\Z", re.ASCII)
_MOST_BARS = 62
_SHOWN, _NAME = 20, 24


@dataclass(frozen=True, slots=True)
class _Asked:
    """`agent` is "" for all of them."""

    agent: str = ""
    days: int = _DEFAULT_DAYS
    share: bool = False
    predictor: bool = False
    costs: bool = False

    @property
    def period(self) -> str:
        return f"the last {self.days} days" if self.days > 1 else "today"

    @property
    def whose(self) -> str:
        return f" of {self.agent}" if self.agent else ""


async def metrics(ask: Ask) -> Reply:
    """For the one who asks alone, until they share it."""
    asked = await _asked(ask)
    if asked.predictor:
        return await predictor(ask, private=not asked.share)
    if asked.costs:
        return await costs(ask, asked.days, asked.period, private=not asked.share)
    store, workspace = ask.services.metrics, ask.run.workspace
    until = ask.services.clock.now() + 1
    # Whole days, today among them, so that a day's bar is never a part of the day.
    since = (until // _DAY - asked.days + 1) * _DAY
    buckets = await store.by_agent(workspace, since, until, asked.agent)
    private = not asked.share
    if not buckets:
        said = f"No requests{asked.whose} in {asked.period} (UTC) yet."
        return Reply(said, private=private)
    whole = totals(buckets)
    text = f"**Requests{asked.whose} in {asked.period}**: {count(whole.runs, 'run')}, success "
    return Reply(
        text + success(whole.good, whole.scored),
        card=Card(
            f"Metrics · {asked.period}{asked.whose}",
            "\n".join(_table(buckets)),
            tuple(_fields(whole)),
        ),
        buttons=() if asked.share else _buttons(ask, asked),
        picture=await _picture(ask, asked, buckets, since, until),
        footer="Days are UTC. n is the number of runs with an outcome.",
        private=private,
    )


def _fields(whole: Totals) -> list[Field]:
    unknown, each = whole.cost_unknown, whole.cost_per_success
    cost = usd(whole.cost_usd)
    if unknown:
        cost += f", and {count(unknown, 'run')} of unknown cost not counted"
    errors = ", ".join(
        f"{one_line(name, 40)} {n}"
        for name, n in sorted(whole.errors.items(), key=lambda item: (-item[1], item[0]))[:5]
    )
    return [
        Field("Runs", f"{whole.runs:,}"),
        Field("Success", success(whole.good, whole.scored)),
        Field("Coverage", coverage(whole)),
        Field("Latency", f"p50 {duration(whole.p50)}, p95 {duration(whole.p95)}"),
        Field("Cost", cost),
        Field("Cost per success", "none yet" if each is None else usd(each)),
        Field("Errors", errors or "none"),
    ]


def _buttons(ask: Ask, asked: _Asked) -> tuple[Button, ...]:
    """Only where others would read it."""
    place = spoken_in(ask.run.channel, ask.run.address, "")
    if place is None or place.own or is_own(place.channel, place.name):
        return ()
    words = " ".join(filter(None, (asked.agent, str(asked.days), "share")))
    return (Button("Share here", f"/metrics {words}"),)


async def _picture(
    ask: Ask, asked: _Asked, buckets: Sequence[Bucket], since: int, until: int
) -> Picture | None:
    """Beside one agent's success all requests by day would mislead: they are left out."""
    step = _DAY if asked.days <= _MOST_BARS else 7 * _DAY
    edges = [] if asked.agent else [*range(since, until, step), until]
    title = one_line(f"{asked.period}{asked.whose}", 40)
    try:
        spans = await ask.services.metrics.spans(ask.run.workspace, edges)
        png = await of_versions(title[0].upper() + title[1:], buckets, spans)
    except Exception:
        # The picture is an extra: whatever keeps it from being drawn, the numbers are told.
        log.exception("picture_not_drawn")
        return None
    by_day = "" if asked.agent else ", requests and cost"
    return Picture(png, f"Success by agent version{by_day}, {title}")


async def _asked(ask: Ask) -> _Asked:
    """Arguments in any order."""
    agent, days, shared, predicted, spent = "", _DEFAULT_DAYS, False, False, False
    agents = [a.name for a in await ask.services.agents.current(ask.run.workspace)]
    for word in ask.args.lower().lstrip("@").split():
        if typed := _DAYS.match(word):
            days = int(typed[1])
        elif word in agents:
            agent = word
        elif word == "share":
            shared = True
        elif word == "predictor":
            predicted = True
        elif word == "costs":
            spent = True
        elif word not in ("day", "days"):
            near = closest(word, agents) or f" The agents are: {', '.join(agents)}."
            raise wrong(ask, COMMAND, f"There is no agent {one_line(word, 30)}.{near}")
    if not 1 <= days <= _MOST_DAYS:
        raise wrong(ask, COMMAND, f"Give 1 to {_MOST_DAYS} days.")
    return _Asked(agent, days, shared, predicted, spent)


def _table(buckets: Sequence[Bucket]) -> list[str]:
    """Narrow enough for a phone."""
    head = ("agent", "runs", "success", "95%", "p95", "cost")
    rows = [head, *(_row(b) for b in buckets[:_SHOWN])]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = [
        "  ".join(
            cell.ljust(w) if i == 0 else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    more = [f"and {len(buckets) - _SHOWN} more"] if len(buckets) > _SHOWN else []
    return ["```", *lines, *more, "```"]


def _row(bucket: Bucket) -> tuple[str, ...]:
    low, high = wilson(bucket.successes, bucket.scored)
    name = f"{one_line(bucket.agent, _NAME)} v{bucket.version}" if bucket.agent else "no agent"
    return (
        name,
        str(bucket.runs),
        share(bucket.successes, bucket.scored),
        f"{low:.0%}-{high:.0%}" if bucket.scored else "-",
        duration(bucket.p95),
        usd(bucket.cost_usd) + ("+?" if bucket.cost_unknown else ""),
    )


COMMAND = Command(
    "metrics",
    "Show runs, success, latency, cost and errors",
    metrics,
    usage="[agent | costs | predictor] [days] [share]",
    examples=(
        "/metrics",
        "/metrics 7",
        "/metrics writer 30",
        "/metrics 7 share",
        "/metrics predictor",
        "/metrics costs 7",
    ),
    more="Only you see it, until you share it. With `predictor` it shows how well the success of "
    "requests was predicted, with `costs` what was spent by agent and model, and with which runbooks.",
)
