"""A proposal's candidate: the versions that it would put into use, made and kept in the archive."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.improve.changes import MAKERS, Roster, Situation
from bot.model.agent import AgentVersion
from bot.model.proposal import IN_USE, Proposal, ProposalKind
from bot.model.trial import GONE
from bot.model.workflow import Workflow
from bot.ports.clock import Clock
from bot.ports.stores import Agents, Workflows


@dataclass(frozen=True, slots=True)
class Prepared:
    """A candidate's roster where it differs, and what stood there: {agent: version}, 0 for none.
    `Trial` has the same two."""

    overlay: Mapping[str, int]
    base: Mapping[str, int]


class Preparing:
    """Puts nothing into use."""

    def __init__(self, agents: Agents, workflows: Workflows, clock: Clock) -> None:
        self._agents, self._workflows, self._clock = agents, workflows, clock

    async def would_be(self, proposal: Proposal) -> Roster:
        """The agents that it would make different, as they would be from today's roster on; None
        for one that would be gone. Nothing is made. Raises NotFound or Conflict where it can't be
        done any more."""
        roster = await self.roster(proposal.workspace)
        return MAKERS[proposal.kind](proposal, await self._situation(proposal, roster))

    async def candidate(self, proposal: Proposal) -> Prepared:
        """Its versions, made from the roster as it is now. The same again while the roster stays,
        and once it is in use. Raises as `would_be` does."""
        # The roster is read first: what another puts into use meanwhile is then either seen to
        # stand, or what this is made from isn't in use any more and can't be replaced.
        now = await self.roster(proposal.workspace)
        if standing := await self.stands(proposal):
            return standing
        situation = await self._situation(proposal, now, await self._saved(proposal))
        roster = MAKERS[proposal.kind](proposal, situation)
        base = {n: situation.now[n].version if n in situation.now else GONE for n in roster}
        overlay = dict.fromkeys(roster, GONE)
        for name, version in roster.items():
            if version is not None:
                made = await self._agents.add(
                    proposal.workspace, version, base=base[name], source=proposal.ref
                )
                overlay[name] = made.version
        return Prepared(overlay, base)

    async def stands(self, proposal: Proposal) -> Prepared | None:
        """What was made, if it is in use as it is or with later changes on top of it."""
        roster = await self.roster(proposal.workspace)
        overlay: dict[str, int] = {}
        base: dict[str, int] = {}
        for name in _made(proposal):
            made = await self._agents.made_by(proposal.workspace, name, proposal.ref)
            if made is None or name not in roster:
                return None
            version, before = made
            if not await self._descends(proposal.workspace, roster[name], version.version):
                return None
            overlay[name], base[name] = version.version, before
        if gone := _gone(proposal):
            if gone in roster or proposal.status not in IN_USE:
                return None
            overlay[gone], base[gone] = GONE, await self._last(proposal.workspace, gone)
        return Prepared(overlay, base) if overlay else None

    async def roster(self, workspace: str) -> Mapping[str, AgentVersion]:
        """The agents in use, by name."""
        return {agent.name: agent for agent in await self._agents.current(workspace)}

    async def _situation(
        self, proposal: Proposal, roster: Mapping[str, AgentVersion], runbook: str = ""
    ) -> Situation:
        workspace, change = proposal.workspace, proposal.change
        seen = await self._agents.version(workspace, change.agent, proposal.base_version)
        return Situation(roster, seen, runbook)

    async def _saved(self, proposal: Proposal) -> str:
        """The runbook's name and version, once it is kept."""
        change = proposal.change
        if proposal.kind is not ProposalKind.WORKFLOW_NEW:
            return ""
        kept = await self._workflows.get(proposal.workspace, change.workflow)
        if kept is None or kept.markdown != change.text:
            kept = await self._workflows.save(
                Workflow(
                    workspace=proposal.workspace,
                    name=change.workflow,
                    version=0,
                    markdown=change.text,
                    source_run=f"{proposal.ref}.{proposal.revision}",
                    created_by=proposal.created_by,
                    created_at=self._clock.now(),
                )
            )
        return f"{kept.name}@{kept.version}"

    async def _descends(self, workspace: str, now: AgentVersion, made: int) -> bool:
        """Whether a version is this one or was made from it, by however many steps."""
        if now.version == made:
            return True
        bases = {m.version.version: m.base for m in await self._agents.history(workspace, now.name)}
        at = now.version
        while at > made:
            at = min(bases.get(at, GONE), at - 1)
        return at == made

    async def _last(self, workspace: str, name: str) -> int:
        history = await self._agents.history(workspace, name)
        return history[-1].version.version if history else GONE


def _made(proposal: Proposal) -> list[str]:
    """The agents that get a version of their own by it."""
    change = proposal.change
    match proposal.kind:
        case ProposalKind.AGENT_RETIRE:
            return []
        case ProposalKind.AGENT_SPLIT:
            return [change.name, *([change.agent] if change.text else [])]
    return [change.agent]


def _gone(proposal: Proposal) -> str:
    """The agent that leaves by it."""
    match proposal.kind:
        case ProposalKind.AGENT_RETIRE:
            return proposal.change.agent
        case ProposalKind.AGENT_MERGE:
            return proposal.change.name
    return ""
