"""Budgets, asked before every model call and never after."""

import asyncio
import math
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

import structlog

from bot.config import Settings
from bot.counters import Counters, Key
from bot.errors import OverBudget
from bot.model.budget import Budget, Period, Scope
from bot.model.run import Usage
from bot.ports.clock import Clock
from bot.ports.stores import Budgets, Spend

log = structlog.get_logger("budget")

OnWarning = Callable[[str, Budget, float], Awaitable[None]]
"""(workspace, budget, US dollars spent of it): 80 % are reached."""

_WARN_AT = 0.8
_DAY_MS = 86_400_000
_TINY = 1e-9  # sums of floats
_BUDGETS_KEEP = 1.0  # seconds that a change by another node takes to be noticed
_ALONE_KEEP = 5.0
_AT_ONCE = 200  # counters read by a statement

_SETTINGS = {
    (Scope.RUN, Period.RUN): "BUDGET_RUN",
    (Scope.AGENT, Period.DAY): "BUDGET_AGENT_DAY",
    (Scope.AGENT, Period.MONTH): "BUDGET_AGENT_MONTH",
    (Scope.PERSON, Period.DAY): "BUDGET_PERSON_DAY",
    (Scope.PERSON, Period.MONTH): "BUDGET_PERSON_MONTH",
    (Scope.WORKSPACE, Period.DAY): "BUDGET_DAY",
    (Scope.WORKSPACE, Period.MONTH): "BUDGET_MONTH",
}


def setting_of(budget: Budget) -> str:
    """The environment name of the setting that gives this budget's default, or ""."""
    name = _SETTINGS.get((budget.scope, budget.period))
    return f"RATCHET_{name}" if name else ""


def defaults(settings: Settings) -> tuple[Budget, ...]:
    """The budgets that hold where nobody has set another."""
    return tuple(
        Budget(
            scope,
            "" if scope is Scope.WORKSPACE else "*",
            period,
            float(getattr(settings, name.lower())),
        )
        for (scope, period), name in _SETTINGS.items()
    )


def label(period: Period, at: int) -> str:
    """The calendar period (UTC) that `at` (ms) falls into: "2026-11-20" or "2026-11"."""
    day = _day(at // _DAY_MS)
    return day if period is Period.DAY else day[:7]


@lru_cache(maxsize=8)  # of now, for every call of a model
def _day(number: int) -> str:
    return datetime.fromtimestamp(number * _DAY_MS / 1000, UTC).strftime("%Y-%m-%d")


def spend_rows(spend: Spend) -> list[tuple[str, str, str, float]]:
    """What a spend adds to the counters: (scope, key, period label, US dollars)."""
    labels = label(Period.DAY, spend.at), label(Period.MONTH, spend.at)
    return [(scope, key, period, spend.usd) for scope, key in spend.keys for period in labels]


def in_force(stored: Iterable[Budget], fallback: Iterable[Budget]) -> list[Budget]:
    """Each (scope, key, period) once: what is stored goes before what the settings say."""
    both = {(b.scope, b.key, b.period): b for b in (*fallback, *stored)}
    return list(both.values())


@dataclass(frozen=True, slots=True)
class _Asked:
    """A budget that a call falls under, and its counter ("" as label: the run's own)."""

    budget: Budget
    key: Key


@dataclass(slots=True)
class _Hold:
    workspace: str
    run_id: str
    asked: Sequence[_Asked]
    usd: float


class Holding(Protocol):
    """What is asked before a model call, and told what it cost."""

    async def hold(
        self,
        workspace: str,
        *,
        run_id: str,
        agent: str,
        person: str,
        spent: Usage,
        most: Usage,
        own_day: float | None = None,
    ) -> str: ...

    def release(self, hold: str, usage: Usage | None = None) -> None: ...


class Purse:
    """Holds what calls in flight may still cost, so that many at once can't pass one limit.

    A call whose price isn't known can't be bounded: it passes, and the run log counts its cost as
    unknown. `shared` says that other nodes spend from the same counters, which are then read
    before every call; otherwise this process knows them. `on_warning` is told once per budget and
    period when 80 % are spent.
    """

    def __init__(
        self,
        store: Budgets,
        defaults: tuple[Budget, ...],
        clock: Clock,
        *,
        shared: bool = False,
        on_warning: OnWarning | None = None,
    ) -> None:
        self._store, self._defaults, self._clock = store, defaults, clock
        self._on_warning = on_warning
        self._counters = Counters(store, clock, keep=0.0 if shared else _ALONE_KEEP)
        self._budgets: dict[str, tuple[float, list[Budget]]] = {}
        self._holds: dict[str, _Hold] = {}
        self._held: defaultdict[tuple[str, Key], float] = defaultdict(float)
        self._next = 0
        self._warned: set[tuple[str, str]] = set()
        self._warnings: set[asyncio.Task[None]] = set()

    async def hold(
        self,
        workspace: str,
        *,
        run_id: str,
        agent: str,
        person: str,
        spent: Usage,
        most: Usage,
        own_day: float | None = None,
    ) -> str:
        """Reserves `most` for a call; returns the hold's id. `spent` is what the run has cost so
        far, all of it recorded. `own_day` is the agent's own budget, in US dollars a day: it holds
        unless an owner set one for this very agent.

        Raises OverBudget, which says which budget it is and how to raise it.
        """
        self._counters.recorded(run_id)
        usd = most.cost_usd or 0.0
        if most.cost_usd == 0:
            return ""
        asked = self._asked(await self.budgets(workspace), run_id, agent, person)
        if own_day is not None:
            asked = self._with_own(asked, agent, own_day)
        if usd:
            own: Key = (Scope.RUN, run_id, "")
            totals = await self._counters.read(workspace, [a.key for a in asked if a.key != own])
            totals[own] = spent.cost_usd or 0.0
            # From here to the end nothing is awaited: no other call can come in between.
            for one in asked:
                held = self._held.get((workspace, one.key), 0.0)
                if totals[one.key] + held + usd > one.budget.limit_usd + _TINY:
                    raise _over(one.budget, totals[one.key], held, usd)
        hold = _Hold(workspace, run_id, asked, usd)
        self._next += 1
        self._holds[str(self._next)] = hold
        for one in asked:
            self._held[workspace, one.key] += usd
        return str(self._next)

    def release(self, hold: str, usage: Usage | None = None) -> None:
        """Once the call is over. `usage` is what it cost, or None if that isn't known here."""
        kept = self._holds.pop(hold, None)
        if kept is None:
            return
        for one in kept.asked:
            at = (kept.workspace, one.key)
            self._held[at] -= kept.usd
            if self._held[at] <= _TINY:
                del self._held[at]
        keys = [one.key for one in kept.asked if one.budget.scope is not Scope.RUN]
        if usage is None:
            self._counters.forget(kept.workspace, keys)
        elif usage.cost_usd:
            self._counters.add(kept.workspace, kept.run_id, keys, usage.cost_usd)
            self._warn_where_due(kept)

    def recorded(self, run_id: str) -> None:
        """The run's costs are all in the database."""
        self._counters.recorded(run_id)

    async def budgets(self, workspace: str) -> list[Budget]:
        """What is in force in a workspace."""
        now = self._clock.monotonic()
        read_at, found = self._budgets.get(workspace, (-_BUDGETS_KEEP, []))
        if now - read_at >= _BUDGETS_KEEP or not found:
            found = in_force(await self._store.all(workspace), self._defaults)
            self._budgets[workspace] = now, found
        return found

    async def set(self, workspace: str, budget: Budget) -> None:
        """Stores a budget; it holds from the next call on."""
        await self._store.set(workspace, budget)
        self._budgets.pop(workspace, None)

    async def of_workspace(self, workspace: str) -> list[tuple[Budget, float]]:
        """The workspace's own budgets, the day's first, with what is spent of each by now."""
        now = self._clock.now()
        asked = {
            budget: (budget.scope.value, budget.key, label(budget.period, now))
            for budget in sorted(await self.budgets(workspace), key=lambda b: b.period)
            if budget.scope is Scope.WORKSPACE and budget.period is not Period.RUN
        }
        spent = await self._store.spent(workspace, list(asked.values())) if asked else {}
        return [(budget, spent.get(key, 0.0)) for budget, key in asked.items()]

    async def of_each(
        self, workspace: str, agents: Mapping[str, float | None], people: Iterable[str]
    ) -> list[tuple[Budget, float]]:
        """The budgets of these agents (each with its own of a day, or None) and of these people,
        each by name, with what is spent of it by now."""
        found = await self.budgets(workspace)
        names = [(name, "", own) for name, own in agents.items()]
        names += [("", person, None) for person in people]
        asked: list[tuple[Budget, Key]] = []
        for agent, person, own in names:
            mine = self._asked(found, "", agent, person)
            if own is not None:
                mine = self._with_own(mine, agent, own)
            asked += [
                (replace(one.budget, key=agent or person), one.key)
                for one in mine
                if one.key[1] and one.budget.period is not Period.RUN
            ]
        spent: dict[Key, float] = {}
        for start in range(0, len(asked), _AT_ONCE):
            keys = [key for _, key in asked[start : start + _AT_ONCE]]
            spent |= await self._store.spent(workspace, keys)
        return [(budget, spent.get(key, 0.0)) for budget, key in asked]

    def moved(self, workspace: str) -> None:
        """Who spent what has changed in the database: it is read anew."""
        self._budgets.pop(workspace, None)
        self._counters.forget_all(workspace)

    async def drain(self) -> None:
        """Returns once every warning under way has been given."""
        while self._warnings:
            await asyncio.gather(*self._warnings)

    def _asked(
        self, budgets: Sequence[Budget], run_id: str, agent: str, person: str
    ) -> Sequence[_Asked]:
        now = self._clock.now()
        labels = {Period.DAY: label(Period.DAY, now), Period.MONTH: label(Period.MONTH, now)}
        names = {Scope.RUN: run_id, Scope.AGENT: agent, Scope.PERSON: person, Scope.WORKSPACE: ""}
        asked: dict[tuple[Scope, Period], _Asked] = {}
        for budget in budgets:
            name, of = names[budget.scope], (budget.scope, budget.period)
            anyone = budget.key == "*" or budget.scope is Scope.RUN
            if budget.key == name or (anyone and of not in asked):
                asked[of] = _Asked(budget, (budget.scope, name, labels.get(budget.period, "")))
        return list(asked.values())

    def _with_own(self, asked: Sequence[_Asked], agent: str, day: float) -> Sequence[_Asked]:
        """The narrower of its own and what holds for every agent."""
        own = Budget(Scope.AGENT, agent, Period.DAY, day)
        same = [a for a in asked if (a.budget.scope, a.budget.period) == (own.scope, own.period)]
        if any(a.budget.key == agent or a.budget.limit_usd <= day for a in same):
            return asked
        key: Key = (Scope.AGENT, agent, label(Period.DAY, self._clock.now()))
        return [*(a for a in asked if a not in same), _Asked(own, key)]

    def _warn_where_due(self, hold: _Hold) -> None:
        for one in hold.asked:
            spent = self._counters.known(hold.workspace, one.key)
            due = one.budget.limit_usd * _WARN_AT
            name = f"budget {one.budget.label} {':'.join(one.key)}"
            if one.budget.scope is Scope.RUN or spent < due - _TINY or not due:
                continue
            if self._on_warning is None or (hold.workspace, name) in self._warned:
                continue
            self._warned.add((hold.workspace, name))
            warning = self._warn(self._on_warning, hold.workspace, one.budget, name, spent)
            task = asyncio.ensure_future(warning)
            self._warnings.add(task)
            task.add_done_callback(self._warnings.discard)

    async def _warn(
        self, tell: OnWarning, workspace: str, budget: Budget, name: str, spent: float
    ) -> None:
        try:
            if await self._store.warn_once(workspace, name):
                await tell(workspace, budget, spent)
        except Exception as error:
            # A warning that fails must never fail the answer it is about.
            self._warned.discard((workspace, name))
            log.warning("budget warning failed", budget=budget.label, error=str(error))


def _over(budget: Budget, spent: float, held: float, usd: float) -> OverBudget:
    """Names the budget, its limit, what is spent, and the two ways to raise it."""
    waiting = f" and up to {money(held)} held for answers under way" if held > _TINY else ""
    begins = {
        Period.DAY: " It begins anew at 00:00 UTC.",
        Period.MONTH: " It begins anew next month.",
    }
    needed = max(budget.limit_usd * 2, spent + held + usd)
    name = "each run" if budget.scope is Scope.RUN else budget.label
    return OverBudget(
        f"{name}: {spent:.6f} spent, {held:.6f} held, {usd:.6f} more > {budget.limit_usd}",
        said=f"This would exceed the budget “{name}”: its limit is "
        f"{money(budget.limit_usd)}, {money(spent)} of it is spent{waiting}, and this call may "
        f"cost up to {money(usd)}. Nothing was spent on it. An owner can raise the budget with "
        f"`{raising(budget, needed)}`{_by_setting(budget)}.{begins.get(budget.period, '')}",
    )


def raising(budget: Budget, usd: float) -> str:
    """The command that sets the budget to at least `usd`."""
    name = f":{budget.key}" if budget.key not in ("", "*") else ""
    dollars = math.ceil(usd * 100) / 100
    return f"/budget set {budget.scope.value}{name} {budget.period.value} {dollars:.2f}"


def _by_setting(budget: Budget) -> str:
    name = setting_of(budget)
    return f", or everywhere by the setting {name}" if name else ""


def money(usd: float) -> str:
    """US dollars as people read them, without hiding small sums: $12.50, $0.0031."""
    if usd >= 0.1 or usd < 5e-7:
        return f"${usd:,.2f}"
    return f"${usd:.6f}".rstrip("0")
