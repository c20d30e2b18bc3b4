"""/budget: what may be spent and what has been; owners set it."""

import math
import re

from bot.budget import defaults, label
from bot.command import Ask, Command
from bot.counters import Key
from bot.errors import Forbidden
from bot.model.budget import Budget, Period, Scope
from bot.model.message import Reply
from bot.model.person import Role
from bot.model.words import one_line, share, usd
from bot.model.workspace import HOME
from commands.parsing import closest, wrong

_AMOUNT = re.compile(r"\$?(\d{1,9}(?:\.\d{1,6})?)\Z", re.ASCII)


async def budget(ask: Ask) -> Reply:
    words = ask.args.split()
    if not words:
        return await _shown(ask)
    if words[0].lower() != "set":
        raise wrong(
            ask, COMMAND, f"{one_line(words[0], 20)} can't be done.{closest(words[0], ['set'])}"
        )
    if not ask.person.role.may(Role.OWNER):
        raise Forbidden(
            f"{ask.person.id} may not set budgets",
            said=f"Budgets are set by owners; you are a {ask.person.role.value}.",
        )
    new = await _parsed(ask, words[1:])
    _keep_to_defaults(ask, new)
    await ask.services.purse.set(ask.run.workspace, new)
    return Reply(f"From now on {_name(new)}: {usd(new.limit_usd)}.")


def _keep_to_defaults(ask: Ask, new: Budget) -> None:
    """Who pays is whoever runs Ratchet: other workspaces may ask for less, not for more."""
    if ask.run.workspace == HOME:
        return
    limits = [
        b.limit_usd
        for b in defaults(ask.services.settings)
        if (b.scope, b.period) == (new.scope, new.period)
    ]
    if new.limit_usd > min(limits, default=0.0):
        raise Forbidden(
            f"{ask.run.workspace} may not raise {new.label}",
            said=f"{_name(new)} may be {usd(min(limits, default=0.0))} at most here: that is set "
            "by whoever runs this Ratchet.",
        )


async def _parsed(ask: Ask, words: list[str]) -> Budget:
    if len(words) == 2 and words[0].lower() == Scope.RUN:
        words = [words[0], Period.RUN, words[1]]
    if len(words) not in (3, 4):
        raise wrong(ask, COMMAND, "Say for what, per day or month, and how many US dollars.")
    first, _, named = words[0].partition(":")
    key, period, amount = (named or "".join(words[1:-2])), words[-2].lower(), words[-1]
    if first.lower() not in set(Scope):
        raise wrong(
            ask, COMMAND, f"{one_line(first, 20)} has no budget.{closest(first, list(Scope))}"
        )
    scope = Scope(first.lower())
    fitting = [Period.RUN] if scope is Scope.RUN else [Period.DAY, Period.MONTH]
    if period not in fitting:
        near = closest(period, fitting) or f" Say {' or '.join(fitting)}."
        raise wrong(ask, COMMAND, f"{one_line(period, 20)} does not fit {scope.value}.{near}")
    typed = _AMOUNT.match(amount)
    if typed is None or not math.isfinite(float(typed[1])):
        raise wrong(ask, COMMAND, f"{one_line(amount, 20)} is no amount of US dollars.")
    return Budget(scope, await _key(ask, scope, key), Period(period), float(typed[1]))


async def _key(ask: Ask, scope: Scope, key: str) -> str:
    if scope is Scope.WORKSPACE:
        return ""
    if scope is Scope.RUN or key in ("", "*"):
        return "*"
    if scope is Scope.PERSON:
        person = ask.person if key == "me" else None
        person = person or await ask.services.people.get(ask.run.workspace, key)
        if person is None:
            raise wrong(
                ask, COMMAND, f"I know no person {one_line(key, 40)}. /role lists their ids."
            )
        return person.id
    names = [a.name for a in await ask.services.agents.current(ask.run.workspace)]
    if key.lower() not in names:
        raise wrong(ask, COMMAND, f"There is no agent {one_line(key, 40)}.{closest(key, names)}")
    return key.lower()


async def _shown(ask: Ask) -> Reply:
    services, workspace = ask.services, ask.run.workspace
    found = await services.purse.budgets(workspace)
    agents = [a.name for a in await services.agents.current(workspace)]
    asked = {one: _keys(ask, one, agents) for one in found}
    keys = [key for several in asked.values() for key in several]
    spent = await services.budgets.spent(workspace, keys) if keys else {}
    order = (Scope.WORKSPACE, Scope.AGENT, Scope.PERSON, Scope.RUN)
    lines = []
    for one in sorted(found, key=lambda b: (order.index(b.scope), b.period, b.key)):
        lines += _lines(one, {key[1]: spent.get(key, 0.0) for key in asked[one]})
    lines.append("Days and months are UTC. An owner changes it: `/budget set workspace day 20`.")
    return Reply("\n".join(lines))


def _keys(ask: Ask, budget: Budget, agents: list[str]) -> list[Key]:
    """The counters that a budget is shown with: for each person, one's own only."""
    if budget.period is Period.RUN:
        return []
    names = [budget.key]
    if budget.key == "*":
        names = agents if budget.scope is Scope.AGENT else [ask.person.id]
    now = label(budget.period, ask.services.clock.now())
    return [(budget.scope, name, now) for name in names]


def _lines(budget: Budget, spent: dict[str, float]) -> list[str]:
    limit = budget.limit_usd
    if not spent:
        return [f"- {_name(budget)}: at most {usd(limit)}"]
    if budget.key != "*":
        total = sum(spent.values())
        return [f"- {_name(budget)}: {usd(total)} of {usd(limit)} ({share(total, limit)})"]
    if budget.scope is Scope.PERSON:
        return [f"- {_name(budget)}: at most {usd(limit)}; you: {usd(sum(spent.values()))}"]
    used = sorted(((usd_, name) for name, usd_ in spent.items() if usd_), reverse=True)
    shown = ", ".join(f"{name} {usd(amount)}" for amount, name in used) or "none spent yet"
    return [f"- {_name(budget)}: at most {usd(limit)}; {shown}"]


def _name(budget: Budget) -> str:
    each = "each " if budget.key == "*" and budget.scope is not Scope.RUN else ""
    return f"**{each}{budget.label}**" if budget.scope is not Scope.RUN else "**each run**"


COMMAND = Command(
    "budget",
    "Show what may be spent and what has been; owners set it",
    budget,
    usage="[set who day|month dollars | set run dollars]",
    examples=(
        "/budget",
        "/budget set workspace day 20",
        "/budget set agent:writer month 50",
        "/budget set run 0.2",
    ),
    more="`who` is `workspace` (all together), `agent` or `person` (each of them), `agent:writer` "
    "(one of them), `person:me` or `person:` and an id that `/role` lists.",
)
