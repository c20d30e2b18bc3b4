"""What approval does and rollback undoes; each is safe to do twice."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from bot.errors import Conflict
from bot.improve.changes import Roster
from bot.improve.deeds import Deeds
from bot.improve.preparing import Prepared, Preparing
from bot.improve.withdrawing import Withdrawing
from bot.model.agent import AgentVersion
from bot.model.proposal import Proposal, ProposalKind
from bot.model.trial import GONE
from bot.ports.clock import Clock
from bot.ports.stores import Agents, Workflows

_TRIES = 5
T = TypeVar("T")


class Release:
    """Makes a proposal's change. Everything made carries its ref (P12) as the source."""

    def __init__(self, agents: Agents, workflows: Workflows, deeds: Deeds, clock: Clock) -> None:
        self._agents, self._deeds = agents, deeds
        self._preparing = Preparing(agents, workflows, clock)
        self._withdrawing = Withdrawing(agents)

    async def check(self, proposal: Proposal) -> None:
        """Raises NotFound or Conflict where it can't be done any more."""
        if not proposal.tried:
            await self._deeds.check(proposal)
        elif not await self._preparing.stands(proposal):
            await self._preparing.would_be(proposal)

    async def stands(self, proposal: Proposal) -> bool:
        """Whether what it made is in use already, as it is or with later changes on top of it."""
        return proposal.tried and await self._preparing.stands(proposal) is not None

    async def would_be(self, proposal: Proposal) -> Roster:
        """The agents that it would make different, as they would be from today's roster on; None
        for one that would be gone. Nothing is made. Raises as `check` does."""
        return await self._preparing.would_be(proposal)

    async def candidate(self, proposal: Proposal) -> Prepared:
        """Its versions in the archive, made from the roster as it is now; nothing is put into use.
        The same again while the roster stays, and once it is in use. Raises as `check` does."""
        return await self._preparing.candidate(proposal)

    async def install(
        self, workspace: str, overlay: Mapping[str, int], base: Mapping[str, int]
    ) -> None:
        """Puts a candidate into use, all of it or nothing; once more changes nothing. Raises
        Conflict where one of its agents has changed meanwhile."""
        await self._agents.swap(workspace, base, overlay)

    async def apply(self, proposal: Proposal, by: str) -> Mapping[str, object]:
        """What was made, as `Proposal.applied` describes it; the same again if it was made
        before. Raises NotFound or Conflict where the agent is gone or keeps changing."""
        if not proposal.tried:
            return await self._deeds.do(proposal, by)
        return await _persistently(self._deploy, proposal)

    async def undo(self, proposal: Proposal) -> str:
        """Takes the change back; says what is in use now."""
        if not proposal.tried:
            return await self._deeds.undo(proposal)
        return await _persistently(self._withdrawing.withdraw, proposal)

    async def current(self, workspace: str, name: str) -> AgentVersion | None:
        return (await self.roster(workspace)).get(name)

    async def version(self, workspace: str, name: str, version: int) -> AgentVersion | None:
        """Of the archive, in use or not."""
        return await self._agents.version(workspace, name, version)

    async def roster(self, workspace: str) -> Mapping[str, AgentVersion]:
        """The agents in use, by name."""
        return await self._preparing.roster(workspace)

    async def applied(self, proposal: Proposal, prepared: Prepared) -> Mapping[str, object]:
        """`Proposal.applied` where this is in use."""
        overlay, base = dict(prepared.overlay), dict(prepared.base)
        main = _main(proposal, overlay)
        version = overlay.get(main, GONE)
        said = {"version": version, "before": base.get(main, GONE), "overlay": overlay}
        made = await self._agents.version(proposal.workspace, main, version)
        bullets = made.playbook if made and proposal.change.bullet else ()
        bullet = next((b.id for b in bullets if b.source == proposal.ref), "")
        return {**said, "base": base, **({"bullet": bullet} if bullet else {})}

    async def _deploy(self, proposal: Proposal) -> Mapping[str, object]:
        prepared = await self._preparing.stands(proposal)
        if prepared is None:
            prepared = await self.candidate(proposal)
            await self.install(proposal.workspace, prepared.overlay, prepared.base)
        return await self.applied(proposal, prepared)


async def _persistently(work: Callable[[Proposal], Awaitable[T]], proposal: Proposal) -> T:
    """Anew from how things are, where someone else was quicker."""
    for _ in range(_TRIES - 1):
        try:
            return await work(proposal)
        except Conflict:
            continue
    return await work(proposal)


def _main(proposal: Proposal, overlay: Mapping[str, int]) -> str:
    """The agent that it is mostly about: of a split the new one."""
    change = proposal.change
    named = change.name if proposal.kind is ProposalKind.AGENT_SPLIT else change.agent
    return named if named in overlay else next(iter(overlay), "")
