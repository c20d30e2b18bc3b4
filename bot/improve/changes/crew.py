"""Who is there and who takes what: agents taken on, split, merged, retired, rerouted; pure."""

from collections.abc import Iterable
from dataclasses import replace

from bot.errors import Conflict
from bot.improve.changes.form import Roster, Situation, malformed, whole
from bot.model.agent import AgentVersion, Bullet, Guard
from bot.model.proposal import Proposal


def taken_on(proposal: Proposal, at: Situation) -> Roster:
    name = proposal.change.agent
    at.must_be_new(proposal, name)
    return {name: whole(proposal, name)}


def split(proposal: Proposal, at: Situation) -> Roster:
    """A new agent for a part of what another does; `text` is the specialty that is left to that
    one, where it gets another."""
    change, agent = proposal.change, at.find(proposal, proposal.change.agent)
    at.must_be_new(proposal, change.name)
    new = whole(proposal, change.name)
    if not change.text:
        return {new.name: new}
    at.must_be_as_seen(proposal, agent, "specialty")
    return {new.name: new, agent.name: replace(agent, specialty=change.text)}


def merged(proposal: Proposal, at: Situation) -> Roster:
    """One that knows and may do what both did."""
    change = proposal.change
    stays, goes = at.find(proposal, change.agent), at.find(proposal, change.name)
    if stays.name == goes.name or not change.text:
        raise malformed(proposal, "two agents and one specialty")
    at.must_be_as_seen(proposal, stays, "specialty")
    joint = replace(
        stays,
        specialty=change.text,
        playbook=_lessons(stays, goes),
        tools=_both(stays.tools, goes.tools),
        guards=_guards(stays, goes),
        workflows=_both(stays.workflows, goes.workflows),
    )
    return {stays.name: joint, goes.name: None}


def retired(proposal: Proposal, at: Situation) -> Roster:
    agent = at.find(proposal, proposal.change.agent)
    if len(at.now) == 1:
        raise Conflict(
            f"{agent.name} is the last one",
            said=f"{agent.name} is the only agent there is: nobody else could answer.",
        )
    return {agent.name: None}


def rerouted(proposal: Proposal, at: Situation) -> Roster:
    agent = at.find(proposal, proposal.change.agent)
    if not proposal.change.text:
        raise malformed(proposal, "no specialty")
    at.must_be_as_seen(proposal, agent, "specialty")
    return {agent.name: replace(agent, specialty=proposal.change.text)}


def _lessons(stays: AgentVersion, goes: AgentVersion) -> tuple[Bullet, ...]:
    """Ids are the agent's own: those of the one that goes are counted on."""
    said, merging = {b.text for b in stays.playbook}, stays
    for bullet in goes.playbook:
        if bullet.text not in said:
            merging = merging.with_bullet(replace(bullet, id=merging.next_bullet_id()))
    return merging.playbook


def _guards(stays: AgentVersion, goes: AgentVersion) -> tuple[Guard, ...]:
    guards = {(g.tool, g.error, g.signature): g for g in (*goes.guards, *stays.guards)}
    return tuple(replace(guard, id=f"g{n}") for n, guard in enumerate(guards.values(), 1))


def _both(one: Iterable[str], other: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*one, *other]))
