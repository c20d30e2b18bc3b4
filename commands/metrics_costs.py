"""`/metrics costs`: what was spent by agent and model, and with which runbooks."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.command import Ask
from bot.improve.forecast import CLOSED, known_of
from bot.model.message import Card, Reply
from bot.model.words import count, one_line, usd
from bot.ports.stores import Bucket
from commands.data import listed

_DAY = 86_400_000
_SHOWN, _NAME = 20, 22
KEPT_DAYS = 35
"""What is known of runbooks goes back so many days."""


@dataclass(slots=True)
class _Spent:
    """`good` is None where it isn't known how many went well; `unknown` have no known price."""

    who: str
    model: str
    runs: int = 0
    usd: float = 0.0
    good: float | None = None
    unknown: int = 0

    @property
    def each(self) -> float | None:
        return self.usd / self.good if self.good else None

    def as_json(self) -> dict[str, object]:
        return {
            "who": self.who,
            "model": self.model,
            "runs": self.runs,
            "cost_usd": round(self.usd, 6),
            "cost_unknown": self.unknown,
            "cost_per_success": None if self.each is None else round(self.each, 6),
        }


async def costs(ask: Ask, days: int, period: str, private: bool) -> Reply:
    services, workspace = ask.services, ask.run.workspace
    until = services.clock.now() + 1
    since = (until // _DAY - days + 1) * _DAY
    agents = await _by_agent(ask, await services.metrics.by_agent(workspace, since, until))
    state = await services.states.get(workspace, CLOSED)
    books = _by_runbook(known_of(state.state).get("spent") or {}, since // _DAY)
    if not agents:
        return Reply(f"No requests in {period} (UTC) yet.", private=private, data=_data((), ()))
    whole = sum(one.usd for one in agents)
    tables = [_table("agent", agents)]
    if books:
        tables.append(_table("runbook", books))
    return Reply(
        f"**Spent in {period}**: {usd(whole)} on {count(sum(a.runs for a in agents), 'run')}",
        card=Card(f"Costs · {period}", "\n".join(line for table in tables for line in table)),
        footer="What runs with a runbook cost is part of what their agent costs; it is known for "
        f"the last {KEPT_DAYS} days. Days are UTC.",
        private=private,
        data=_data(agents, books),
    )


async def _by_agent(ask: Ask, buckets: Sequence[Bucket]) -> list[_Spent]:
    """By agent and the model of its version, the dearest first."""
    found: dict[tuple[str, str], _Spent] = {}
    for bucket in buckets:
        version = await ask.services.agents.version(ask.run.workspace, bucket.agent, bucket.version)
        model = (version.model if version else "") or "default"
        who = bucket.agent or "no agent"
        spent = found.setdefault((who, model), _Spent(who, model, good=0.0))
        spent.runs += bucket.runs
        spent.usd += bucket.cost_usd
        spent.good = (spent.good or 0.0) + bucket.successes
        spent.unknown += bucket.cost_unknown
    return _dearest(found.values())


def _by_runbook(known: Mapping[str, Any], first: int) -> list[_Spent]:
    """`known` as `bot.improve.detect.costs.by_runbook` keeps it; from this day on."""
    found: defaultdict[tuple[str, str], list[float]] = defaultdict(lambda: [0, 0.0])
    for key, at in known.items():
        book, agent, model = f"{key}  ".split(" ")[:3]
        for day, spent in at["days"].items():
            if int(day) >= first:
                found[f"{book} ({agent})", model or "default"][0] += spent[0]
                found[f"{book} ({agent})", model or "default"][1] += spent[1]
    return _dearest(_Spent(*key, runs=int(runs), usd=cost) for key, (runs, cost) in found.items())


def _dearest(found: Iterable[_Spent]) -> list[_Spent]:
    return sorted(found, key=lambda one: (-one.usd, one.who, one.model))


def _table(name: str, found: Sequence[_Spent]) -> list[str]:
    head = (name, "model", "runs", "cost", "a success")
    rows = [head, *(_row(one) for one in found[:_SHOWN])]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = [
        "  ".join(
            cell.ljust(w) if i < 2 else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    more = [f"and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
    return ["```", *lines, *more, "```"]


def _row(one: _Spent) -> tuple[str, ...]:
    cost = usd(one.usd) + ("+?" if one.unknown else "")
    each = "-" if one.each is None else usd(one.each)
    return (one_line(one.who, _NAME), one_line(one.model, 16), str(one.runs), cost, each)


def _data(agents: Sequence[_Spent], books: Sequence[_Spent]) -> dict[str, object]:
    return {
        **listed("agents", [one.as_json() for one in agents]),
        **listed("runbooks", [one.as_json() for one in books]),
    }
