"""An edit: the same kind of change in other words; pure."""

from dataclasses import replace

from bot.improve import drafting
from bot.improve.drafting import Draft, fingerprint
from bot.model.agent import AgentVersion
from bot.model.proposal import Change, Proposal, ProposalKind
from bot.model.words import one_line

_RUNBOOK, _SPECIALTY, _ADVICE = 8_000, 400, 300
K = ProposalKind


def reworded(proposal: Proposal, words: str, agent: AgentVersion | None) -> Draft | None:
    """None for words that say nothing, and where there are no words to change."""
    change, line = proposal.change, one_line(words, 4000)
    if not line or not proposal.words:
        return None
    match proposal.kind:
        case K.GUARD_NEW:
            guard = {**change.guard, "advice": one_line(words, _ADVICE)}
            return _as_before(proposal, replace(change, guard=guard))
        case K.WORKFLOW_NEW:
            return _as_before(proposal, replace(change, text=words.strip()[:_RUNBOOK]))
        case K.ROUTE_CHANGE | K.AGENT_MERGE:
            return _as_before(proposal, replace(change, text=one_line(words, _SPECIALTY)))
        case K.AGENT_NEW | K.AGENT_SPLIT:
            config = {**change.config, "specialty": one_line(words, _SPECIALTY)}
            return _as_before(proposal, replace(change, config=config))
        case K.AGENT_CONFIG | K.MEMORY_NEW:
            return drafting.reworded(proposal, words, agent)
    return None


def _as_before(proposal: Proposal, change: Change) -> Draft:
    """Its kind, title and base stay; the diff shows the new words beside the old ones."""
    edited = replace(proposal, change=change)
    kept = [line for line in proposal.diff.splitlines() if not _says(line, proposal.words)]
    new = [f"+ {line}" for line in edited.words.splitlines()]
    return Draft(
        kind=proposal.kind,
        change=change,
        title=proposal.title,
        diff="\n".join([*kept, *new]),
        expected=proposal.expected,
        risk=proposal.risk,
        fingerprint=fingerprint(
            proposal.kind.value, change.agent, change.name, change.workflow, edited.words
        ),
        base_version=proposal.base_version,
    )


def _says(line: str, words: str) -> bool:
    """Whether a line of the diff adds a part of these words."""
    told = line[1:].strip()
    return (
        line.startswith("+")
        and bool(told)
        and any(
            part.strip() and (part.strip() in told or told in part) for part in words.splitlines()
        )
    )
