"""What an agent does by itself from now on: a guard against a mistake, a runbook that it knows."""

from dataclasses import replace

from bot.improve.changes.form import Roster, Situation, malformed
from bot.model.agent import AgentVersion, Guard
from bot.model.proposal import Proposal

_GUARD = {"tool", "error", "signature", "advice"}


def guarded(proposal: Proposal, at: Situation) -> Roster:
    """With the guard, in the place of an earlier one against the same mistake."""
    agent = at.find(proposal, proposal.change.agent)
    said = {k: v for k, v in proposal.change.guard.items() if k in _GUARD and isinstance(v, str)}
    if said.keys() != _GUARD or proposal.change.guard.keys() - {*_GUARD, "source"}:
        raise malformed(proposal, "no guard")
    if not (said["tool"] and said["error"] and said["advice"]):
        raise malformed(proposal, "a guard against nothing")
    guard = Guard(id=_next(agent), source=proposal.ref, **said)
    kept = [g for g in agent.guards if _against(g) != _against(guard)]
    return {agent.name: replace(agent, guards=(*kept, guard))}


def taught(proposal: Proposal, at: Situation) -> Roster:
    """With the runbook in this very version: what is saved under its name later is another."""
    agent = at.find(proposal, proposal.change.agent)
    if not (proposal.change.workflow and proposal.change.text):
        raise malformed(proposal, "no runbook")
    name = proposal.change.workflow
    runbook = at.runbook or name
    kept = [w for w in agent.workflows if w.partition("@")[0] != name]
    return {agent.name: replace(agent, workflows=(*kept, runbook))}


def _against(guard: Guard) -> tuple[str, str, str]:
    return guard.tool, guard.error, guard.signature


def _next(agent: AgentVersion) -> str:
    taken = [int(g.id[1:]) for g in agent.guards if g.id[1:].isdigit()]
    return f"g{max(taken, default=0) + 1}"
