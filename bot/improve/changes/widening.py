"""Whether a change lets an agent do more than before: then it is an owner's to approve; pure."""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace

from bot.improve.changes.form import Roster
from bot.model.agent import AgentVersion, Limits

Dearer = Callable[[str, str], bool]
"""(a model, the one it would replace) → whether it costs more, or what it costs isn't known."""


def widened(now: Mapping[str, AgentVersion], changed: Roster, dearer: Dearer) -> list[str]:
    """What each agent would be allowed or told beyond today, in words; nothing for what narrows."""
    reasons: list[str] = []
    for name, after in changed.items():
        if after is None:
            continue
        before = now.get(name)
        reasons += _of_new(now, after) if before is None else _of_known(before, after, dearer)
    return list(dict.fromkeys(reasons))


def outgrown(
    approved: Mapping[str, AgentVersion],
    now: Mapping[str, AgentVersion],
    changed: Roster,
    dearer: Dearer,
) -> list[str]:
    """What it would allow beyond what was approved and beyond what is in use anyway, in words:
    who approved it hasn't seen that."""
    allowed = dict(now)
    for name, after in changed.items():
        known = [agent for agent in (now.get(name), approved.get(name)) if agent]
        if after is not None and known:
            allowed[name] = _either(known[0], known[-1], after)
    return widened(allowed, changed, dearer)


def _either(one: AgentVersion, other: AgentVersion, after: AgentVersion) -> AgentVersion:
    """As wide as the wider of two."""
    budgets = [agent.budget_day for agent in (one, other) if agent.budget_day is not None]
    against = {(g.tool, g.error, g.signature) for g in other.guards}
    limits = {f.name: max(getattr(a.limits, f.name) for a in (one, other)) for f in fields(Limits)}
    return replace(
        one,
        tools=tuple(dict.fromkeys((*one.tools, *other.tools))),
        limits=Limits(**limits),
        budget_day=max(budgets) if len(budgets) == 2 else None,
        model=other.model if after.model == other.model else one.model,
        instructions=other.instructions
        if after.instructions == other.instructions
        else one.instructions,
        guards=tuple(g for g in one.guards if (g.tool, g.error, g.signature) in against),
    )


def _of_new(now: Mapping[str, AgentVersion], after: AgentVersion) -> list[str]:
    """Its wording is new in any case. Its tools are measured by what anyone here may use."""
    tools = {tool for agent in now.values() for tool in agent.tools}
    return [f"a new agent, {after.name}", *_tools(frozenset(tools), after)]


def _of_known(before: AgentVersion, after: AgentVersion, dearer: Dearer) -> list[str]:
    reasons = _tools(frozenset(before.tools), after)
    if after.instructions != before.instructions:
        reasons.append("new instructions")
    if after.model != before.model and dearer(after.model, before.model):
        reasons.append(f"a model that costs more or has no known price ({after.model})")
    reasons += [
        f"a higher limit ({f.name.replace('_', ' ')})"
        for f in fields(Limits)
        if getattr(after.limits, f.name) > getattr(before.limits, f.name)
    ]
    if _more(after.budget_day, before.budget_day):
        reasons.append("a higher budget of its own")
    if not _guarded_as_before(before, after):
        reasons.append("a guard less")
    return reasons


def _tools(had: frozenset[str], after: AgentVersion) -> list[str]:
    more = [tool for tool in after.tools if tool not in had]
    return [f"new tools ({', '.join(more)})"] if more else []


def _more(after: float | None, before: float | None) -> bool:
    """None is no budget of its own, which is the widest."""
    return before is not None and (after is None or after > before)


def _guarded_as_before(before: AgentVersion, after: AgentVersion) -> bool:
    against = {(g.tool, g.error, g.signature) for g in after.guards}
    return all((g.tool, g.error, g.signature) in against for g in before.guards)
