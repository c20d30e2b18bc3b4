"""Whether a change lets an agent do more than before: then it is an owner's to approve; pure."""

from collections.abc import Callable, Mapping
from dataclasses import fields

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
