"""/metrics: runs, success, latency, cost and errors, per agent version, with a picture."""

import re
from collections import Counter
from collections.abc import Sequence

import structlog

from bot.command import Ask, Command
from bot.model.message import Picture, Reply
from bot.model.stats import wilson
from bot.model.words import count, duration, one_line, share, usd
from bot.ports.stores import Bucket
from commands.charts import draw
from commands.parsing import closest, wrong

log = structlog.get_logger()

_DAY = 86_400_000
_DEFAULT_DAYS, _MOST_DAYS = 30, 365
_DAYS = re.compile(r"(\d{1,4})(?:d|days?)?\Z", re.ASCII)
_SHOWN = 20


async def metrics(ask: Ask) -> Reply:
    agent, days = await _asked(ask)
    services, workspace = ask.services, ask.run.workspace
    until = services.clock.now() + 1
    # Whole days, today among them, so that a day's bar is never a part of the day.
    since = (until // _DAY - days + 1) * _DAY
    buckets = await services.metrics.by_agent(workspace, since, until, agent)
    period = f"the last {days} days" if days > 1 else "today"
    whose = f" of {agent}" if agent else ""
    if not buckets:
        return Reply(f"No requests{whose} in {period} (UTC) yet.")
    text = "\n".join(
        [f"**Requests{whose} in {period}** (UTC)", *_totals(buckets), "", *_table(buckets)]
    )
    by_day = await services.metrics.by_day(workspace, since, until)
    try:
        png = await draw(buckets, by_day)
    except Exception:
        # The picture is an extra: whatever keeps it from being drawn, the numbers are told.
        log.exception("picture_not_drawn")
        return Reply(text)
    alt = f"Success by agent version, and requests and cost by day, in {period}"
    return Reply(text, picture=Picture(png, alt))


async def _asked(ask: Ask) -> tuple[str, int]:
    """(agent or "", days) of arguments in either order."""
    agent, days = "", _DEFAULT_DAYS
    agents = [a.name for a in await ask.services.agents.current(ask.run.workspace)]
    for word in ask.args.lower().lstrip("@").split():
        if typed := _DAYS.match(word):
            days = int(typed[1])
        elif word in agents:
            agent = word
        elif word not in ("day", "days"):
            near = closest(word, agents) or f" The agents are: {', '.join(agents)}."
            raise wrong(ask, COMMAND, f"There is no agent {one_line(word, 30)}.{near}")
    if not 1 <= days <= _MOST_DAYS:
        raise wrong(ask, COMMAND, f"Give 1 to {_MOST_DAYS} days.")
    return agent, days


def _totals(buckets: Sequence[Bucket]) -> list[str]:
    runs = sum(b.runs for b in buckets)
    scored, good = sum(b.scored for b in buckets), sum(b.successes for b in buckets)
    rated = sum(b.rated for b in buckets)
    spent, unknown = sum(b.cost_usd for b in buckets), sum(b.cost_unknown for b in buckets)
    errors = sum((Counter(b.errors) for b in buckets), Counter[str]())
    lines = [
        f"- {count(runs, 'run')}, success {success(good, scored)}",
        f"- {share(rated, runs)} rated ({rated} of {runs}), {share(scored, runs)} with an outcome",
        f"- cost {usd(spent)} in all, per success {_each(spent, good)}"
        + (f"; {count(unknown, 'run')} of unknown cost not counted" if unknown else ""),
    ]
    if errors:
        shown = ", ".join(f"{name} {n}" for name, n in errors.most_common(8))
        lines.append(f"- errors: {shown}")
    return lines


def success(good: float, scored: int) -> str:
    """ "83 % [61-94 %], n=18"; runs without an outcome are in neither number."""
    if not scored:
        return "not known yet (no outcomes)"
    low, high = wilson(good, scored)
    return f"{good / scored:.0%} [{low:.0%} to {high:.0%}], n={scored}"


def _each(spent: float, good: float) -> str:
    return usd(spent / good) if good else "none yet"


def _table(buckets: Sequence[Bucket]) -> list[str]:
    head = ("agent", "runs", "success", "95 %", "p50", "p95", "cost", "/success", "errors")
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
    name = f"{bucket.agent} v{bucket.version}" if bucket.agent else "no agent"
    return (
        name,
        str(bucket.runs),
        share(bucket.successes, bucket.scored),
        f"{low:.0%}-{high:.0%}" if bucket.scored else "-",
        duration(bucket.p50),
        duration(bucket.p95),
        usd(bucket.cost_usd) + ("+?" if bucket.cost_unknown else ""),
        _each(bucket.cost_usd, bucket.successes),
        str(sum(bucket.errors.values())),
    )


COMMAND = Command(
    "metrics",
    "Show runs, success, latency, cost and errors",
    metrics,
    usage="[agent] [days]",
    examples=("/metrics", "/metrics 7", "/metrics writer 30"),
)
