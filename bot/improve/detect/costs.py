"""What is spent, by day: twice the usual of an agent or a runbook, budgets, dear models; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import Any, NamedTuple

from bot.improve.detect.seen import Seen
from bot.improve.facts import BUDGET, COST
from bot.model.budget import Budget, Period, Scope
from bot.model.stats import wilson
from bot.model.words import usd

DAY = 86_400_000
_DAYS, _AGENTS, _TOP = 35, 200, 10
_RUNBOOKS = 60
_USUAL_DAYS, _TWICE, _CENT = 7, 2.0, 0.01
_RECENT, _RUNS, _WEEK_USD = 28, 50, 0.5
_SAVES = 0.2
WARN_AT = 0.8


class Paid(NamedTuple):
    """What is read of a closed run."""

    id: str
    created_at: int
    scored_at: int
    status: str
    person: str
    agent: str
    y: float | None
    cost_usd: float | None
    tokens_in: int
    tokens_out: int


def fold(known: dict[str, Any], page: Iterable[Paid]) -> list[Seen]:
    """Closed runs. `known` is {agent: {"days": {day: [runs, US dollars, scored, good, tokens in,
    tokens out]}, "top": {day: [[US dollars, run, person]]}}}."""
    days = _Days(known, _AGENTS)
    return [
        _dear_day(known[run.agent], run, run.agent)
        for run in page
        if run.agent and run.cost_usd and days.dear(run.agent, run, run.cost_usd)
    ]


def by_runbook(known: dict[str, Any], page: Iterable[tuple[Paid, str, str]]) -> list[Seen]:
    """Closed runs, each with the runbook that it followed and the model of its agent. `known` is
    as for `fold`, by "runbook agent model"."""
    days, seen = _Days(known, _RUNBOOKS), list[Seen]()
    for run, runbook, model in page:
        key = f"{runbook} {run.agent} {model}"
        if run.cost_usd and days.dear(key, run, run.cost_usd):
            on = f" on {model}" if model else ""
            seen.append(_dear_day(known[key], run, f"{run.agent} with {runbook}{on}", key, model))
    return seen


class _Day(NamedTuple):
    """The lists that are kept of it, and what is usually spent."""

    number: int
    spent: list[Any]
    top: list[Any]
    usual: float


class _Days:
    """What is known, with the day of each that came last at hand: a day's runs come together."""

    def __init__(self, known: dict[str, Any], most: int) -> None:
        self._known, self._most = known, most
        self._last: dict[str, _Day] = {}

    def dear(self, key: str, run: Paid, cost: float) -> bool:
        """Whether the day is dear from this run on."""
        number = run.created_at // DAY
        day = self._last.get(key)
        if day is None or day.number != number:
            day = self._begun(key, number)
        _, spent, top, usual = day
        before = spent[1]
        spent[0] += 1
        spent[1] += cost
        if run.y is not None:
            spent[2] += 1
            spent[3] += run.y
        spent[4] += run.tokens_in
        spent[5] += run.tokens_out
        if len(top) < _TOP or cost >= top[-1][0]:
            _among_dearest(top, [cost, run.id, run.person])
        return bool(usual and before <= max(_TWICE * usual, _CENT) < spent[1])

    def _begun(self, key: str, number: int) -> _Day:
        at = self._known.setdefault(key, {"days": {}, "top": {}})
        if len(self._known) > self._most:
            oldest = next(iter(self._known))
            del self._known[oldest]
            self._last.pop(oldest, None)
        day = str(number)
        spent = at["days"].setdefault(day, [0, 0.0, 0, 0.0, 0, 0])
        top = at["top"].setdefault(day, [])
        if not spent[0]:
            _forget(at)
        self._last[key] = made = _Day(number, spent, top, _usual(at, day))
        return made


def _among_dearest(top: list[list[Any]], row: list[Any]) -> None:
    """The dearest first, of those that cost the same the newest."""
    at = 0
    while at < len(top) and top[at] > row:
        at += 1
    if at < _TOP:
        top.insert(at, row)
        del top[_TOP:]


def _forget(at: dict[str, Any]) -> None:
    for day in sorted(at["days"], key=int)[:-_DAYS]:
        del at["days"][day]
    for day in sorted(at["top"], key=int)[:-2]:
        del at["top"][day]


def _usual(at: Mapping[str, Any], day: str) -> float:
    """What it spends on a day it works, by the days before; 0 while there are too few."""
    earlier = [spent[1] for name, spent in at["days"].items() if int(name) < int(day)]
    return median(earlier) if len(earlier) >= _USUAL_DAYS else 0.0


def _dear_day(at: Mapping[str, Any], run: Paid, who: str, about: str = "", model: str = "") -> Seen:
    day = str(run.created_at // DAY)
    usual, now = _usual(at, day), at["days"][day]
    title = f"{who} spends more than twice its usual {usd(usual)} a day"
    dearest = at["top"][day]
    return Seen(
        COST,
        run.agent,
        f"day {about}".rstrip(),
        title,
        f"{title}: {usd(now[1])} in {now[0]} runs by now. The dearest runs are named.",
        tuple(id for _, id, _ in dearest),
        count=now[0],
        people=len({person for _, _, person in dearest}),
        usd_week=(now[1] - usual) * 7,
        confidence=0.9,
        facts={
            "ratio": round(now[1] / usual, 2),
            "day": int(day),
            "usual_usd": round(usual, 6),
            **({"workflow": about.partition(" ")[0]} if about else {}),
            **({"model": model} if model else {}),
        },
        at=run.created_at,
    )


def dear_models(
    known: Mapping[str, Any],
    models: Mapping[str, str],
    price: Mapping[str, tuple[float, float]],
    now: int,
) -> list[Seen]:
    """Agents whose model costs much and who do well with it, where a cheaper one is known.

    `models` is the model by agent, `price` what a million tokens in and out cost (US dollars).
    Whether the cheaper one is as good is not said here: replay and a trial tell.
    """
    seen: list[Seen] = []
    for agent, model in models.items():
        spent = _recent(known.get(agent), now)
        if model not in price or spent is None:
            continue
        mine = _costs(price[model], spent)
        cheaper = {m: _costs(p, spent) for m, p in price.items() if m != model}
        best = min(cheaper, key=lambda m: cheaper[m], default="")
        if best and mine > 0 and 1 - cheaper[best] / mine >= _SAVES:
            seen.append(_cheaper(agent, model, best, 1 - cheaper[best] / mine, spent, known[agent]))
    return seen


def _recent(at: Mapping[str, Any] | None, now: int) -> Sequence[float] | None:
    """Its last four weeks, if it works and spends enough to look at."""
    first = now // DAY - _RECENT
    days = [spent for day, spent in (at or {"days": {}})["days"].items() if int(day) > first]
    total = [sum(column) for column in zip(*days, strict=True)] if days else [0] * 6
    return total if total[0] >= _RUNS and total[1] / _RECENT * 7 >= _WEEK_USD else None


def _costs(price: tuple[float, float], spent: Sequence[float]) -> float:
    return (price[0] * spent[4] + price[1] * spent[5]) / 1e6


def _cheaper(
    agent: str, model: str, best: str, saves: float, spent: Sequence[float], at: Mapping[str, Any]
) -> Seen:
    week = spent[1] / _RECENT * 7
    good = f", {usd(spent[1] / spent[3])} a success" if spent[3] else ""
    title = f"{agent} spends {usd(week)} a week on {model}; {best} would cost {saves:.0%} less"
    dearest = [row for day in at["top"].values() for row in day]
    success = {"success": round(spent[3] / spent[2], 4)} if spent[2] else {}
    return Seen(
        COST,
        agent,
        f"model:{model}:{best}",
        title,
        f"{title}{good}. Whether {best} is as good is not known yet.",
        tuple(id for _, id, _ in dearest),
        count=int(spent[0]),
        people=len({person for _, _, person in dearest}),
        usd_week=week * saves,
        confidence=wilson(spent[3], int(spent[2]))[0],
        facts={
            "model": model,
            "cheaper": best,
            "saves": round(saves, 4),
            "scored": int(spent[2]),
            "runs_week": round(spent[0] / _RECENT * 7, 2),
            **success,
        },
    )


def budgets(
    spent: Iterable[tuple[Budget, float]],
    passed: Mapping[Period, float],
    known: Mapping[str, Any],
    names: Mapping[str, str],
    now: int,
) -> list[Seen]:
    """Budgets that are at 80 % or more. `passed` is the part of the period that is over, `names`
    are those of people by id. The dearest runs of the day that `fold` knows are named."""
    seen = []
    day = str(now // DAY)
    dearest = sorted(
        ((agent, *row) for agent, at in known.items() for row in at["top"].get(day, ())),
        key=lambda row: row[1],
        reverse=True,
    )
    for budget, dollars in spent:
        if budget.limit_usd <= 0 or dollars < WARN_AT * budget.limit_usd:
            continue
        part = dollars / budget.limit_usd
        needed = dollars / max(passed.get(budget.period, 1.0), 0.05)
        who = names.get(budget.key, budget.key) if budget.scope is Scope.PERSON else budget.key
        title = f"The budget “{replace(budget, key=who).label}” is "
        title += "spent" if part >= 1 else f"at {part:.0%}"
        agent = budget.key if budget.scope is Scope.AGENT else ""
        runs = [
            (run, person)
            for name, _, run, person in dearest
            if budget.scope is Scope.WORKSPACE or budget.key in (name, person)
        ][:_TOP]
        seen.append(
            Seen(
                BUDGET,
                agent,
                f"{budget.scope}:{budget.key}:{budget.period}",
                title,
                f"{title}: {usd(dollars)} of {usd(budget.limit_usd)}. At the limit requests are "
                "refused.",
                tuple(run for run, _ in runs),
                people=len({person for _, person in runs}),
                confidence=1.0,
                facts={
                    "scope": budget.scope.value,
                    "key": budget.key,
                    "period": budget.period.value,
                    "limit_usd": budget.limit_usd,
                    "spent_usd": round(dollars, 6),
                    "needed_usd": round(max(needed, dollars), 6),
                },
            )
        )
    return seen
