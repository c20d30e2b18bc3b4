"""One agent, changed in itself: a lesson added or retired, new wording, another setting; pure."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from math import isfinite
from typing import Any

from bot.errors import NotFound
from bot.improve.changes.form import Roster, Situation, malformed
from bot.model.agent import AgentVersion, Bullet, Limits
from bot.model.proposal import Proposal


def configured(proposal: Proposal, at: Situation) -> Roster:
    """Exactly one thing of it."""
    change, agent = proposal.change, at.find(proposal, proposal.change.agent)
    if change.instructions:
        at.must_be_as_seen(proposal, agent, "instructions")
        return {agent.name: replace(agent, instructions=change.instructions)}
    if change.retire:
        return {agent.name: _without(proposal, agent, change.retire)}
    if change.config:
        return {agent.name: _set(proposal, at, agent)}
    if not change.bullet:
        raise malformed(proposal, "no change")
    return {
        agent.name: agent.with_bullet(Bullet(agent.next_bullet_id(), change.bullet, proposal.ref))
    }


def cheaper(proposal: Proposal, at: Situation) -> Roster:
    if set(proposal.change.config) != {"model"}:
        raise malformed(proposal, "another setting than the model")
    agent = at.find(proposal, proposal.change.agent)
    return {agent.name: _set(proposal, at, agent)}


def _without(proposal: Proposal, agent: AgentVersion, bullet: str) -> AgentVersion:
    if bullet not in [b.id for b in agent.playbook]:
        raise NotFound(
            f"{agent.name} v{agent.version} has no {bullet}",
            said=f"{agent.name} has no lesson {bullet} any more, so {proposal.ref} can't be done.",
        )
    return agent.without_bullet(bullet)


def _set(proposal: Proposal, at: Situation, agent: AgentVersion) -> AgentVersion:
    config = proposal.change.config
    if not config or not config.keys() <= _READ.keys():
        raise malformed(proposal, f"no settings of an agent: {', '.join(sorted(config))[:80]}")
    at.must_be_as_seen(proposal, agent, *config)
    try:
        changed: Mapping[str, Any] = {key: _READ[key](agent, config[key]) for key in config}
    except (TypeError, ValueError) as error:
        raise malformed(proposal, str(error)) from error
    return replace(agent, **changed)


def _model(agent: AgentVersion, value: object) -> object:
    return _checked(value, str)


def _temperature(agent: AgentVersion, value: object) -> object:
    return None if value is None else _number(value)


def _tools(agent: AgentVersion, value: object) -> object:
    return tuple(dict.fromkeys(_checked(one, str) for one in _checked(value, list, tuple)))


def _limits(agent: AgentVersion, value: object) -> object:
    """Those that are named; the others stay."""
    given = {name: _number(one) for name, one in _checked(value, dict).items()}
    return Limits(**{**asdict(agent.limits), **given})


def _budget(agent: AgentVersion, value: object) -> object:
    return None if value is None else _number(value)


def _number(value: object) -> int | float:
    """One that is higher, the same or lower than another: with "not a number" nothing widens."""
    number: int | float = _checked(value, int, float)
    if not (isfinite(number) and number >= 0):
        raise ValueError(f"{number} is no setting")
    return number


def _checked(value: object, *types: type) -> Any:
    if isinstance(value, bool) or not isinstance(value, types):
        raise TypeError(f"{type(value).__name__} is no {types[0].__name__}")
    return value


_READ: Mapping[str, Callable[[AgentVersion, object], object]] = {
    "model": _model,
    "temperature": _temperature,
    "tools": _tools,
    "limits": _limits,
    "budget_day": _budget,
}
"""What may be set, and how a JSON value is read; nothing else is a setting of an agent."""
