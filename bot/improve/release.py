"""What approval does and rollback undoes; each is safe to do twice."""

from collections.abc import Mapping
from dataclasses import replace

from bot.errors import Conflict, NotFound
from bot.memory import MemoryBank
from bot.model.agent import AgentVersion, Bullet
from bot.model.memory import Memory, Namespace
from bot.model.proposal import Proposal, ProposalKind
from bot.ports.stores import Agents

_TRIES = 5


class Release:
    """Makes a proposal's change. Everything made carries its ref (P12) as the source."""

    def __init__(self, agents: Agents, memory: MemoryBank) -> None:
        self._agents, self._memory = agents, memory

    async def check(self, proposal: Proposal) -> None:
        """Raises NotFound or Conflict where it can't be applied any more."""
        if proposal.kind is ProposalKind.MEMORY_NEW:
            return
        now = await self._must_find(proposal)
        name, base = now.name, proposal.base_version
        seen = await self._agents.version(proposal.workspace, name, base)
        if proposal.change.instructions and seen and seen.instructions != now.instructions:
            raise Conflict(
                f"{proposal.ref} rewords v{base}, {name} is at v{now.version}",
                said=f"{name}'s instructions have changed since {proposal.ref} was made from "
                f"v{base}. Decline it and ask again.",
            )

    async def apply(self, proposal: Proposal, by: str) -> Mapping[str, object]:
        """What was made, as `Proposal.applied` describes it; the same again if it was made
        before. Raises NotFound or Conflict where the agent is gone or keeps changing."""
        if proposal.kind is ProposalKind.MEMORY_NEW:
            return await self._remember(proposal, by)
        for _ in range(_TRIES - 1):
            try:
                return await self._deploy(proposal)
            except Conflict:
                continue
        return await self._deploy(proposal)

    async def undo(self, proposal: Proposal) -> str:
        """Takes the change back; says what is in use now."""
        applied = proposal.applied or {}
        if proposal.kind is ProposalKind.MEMORY_NEW:
            return await self._forget(proposal, applied)
        for _ in range(_TRIES - 1):
            try:
                return await self._withdraw(proposal, applied)
            except Conflict:
                continue
        return await self._withdraw(proposal, applied)

    async def current(self, workspace: str, name: str) -> AgentVersion | None:
        agents = await self._agents.current(workspace)
        return next((agent for agent in agents if agent.name == name), None)

    async def _remember(self, proposal: Proposal, by: str) -> Mapping[str, object]:
        change = proposal.change
        memory = await self._memory.remember(
            proposal.workspace,
            Namespace(change.namespace),
            change.text,
            by=by,
            source=proposal.ref,
            id=proposal.id,
        )
        return {
            "memory": memory.id,
            "ref": memory.ref,
            "number": memory.number,
            "created_at": memory.created_at,
        }

    async def _forget(self, proposal: Proposal, applied: Mapping[str, object]) -> str:
        memory = Memory(
            id=str(applied["memory"]),
            workspace=proposal.workspace,
            number=int(str(applied["number"])),
            namespace=Namespace(proposal.change.namespace),
            text=proposal.change.text,
            created_at=int(str(applied["created_at"])),
            source=proposal.ref,
        )
        await self._memory.forget(proposal.workspace, memory)
        return f"{memory.ref} is forgotten."

    async def _deploy(self, proposal: Proposal) -> Mapping[str, object]:
        # The current version is read first: a deployment that comes in between is then either
        # seen by `made_by`, or the base is no longer the current one.
        now = await self._must_find(proposal)
        made = await self._agents.made_by(proposal.workspace, now.name, proposal.ref)
        if made is None:
            candidate = self._changed(proposal, now)
            version = await self._agents.deploy(
                proposal.workspace, candidate, base=now.version, source=proposal.ref
            )
            before = now.version
        else:
            version, before = made
        bullet = next((b.id for b in version.playbook if b.source == proposal.ref), "")
        applied: dict[str, object] = {"version": version.version, "before": before}
        return {**applied, "bullet": bullet} if bullet else applied

    def _changed(self, proposal: Proposal, now: AgentVersion) -> AgentVersion:
        change = proposal.change
        if change.instructions:
            return replace(now, instructions=change.instructions)
        return now.with_bullet(Bullet(now.next_bullet_id(), change.bullet, proposal.ref))

    async def _withdraw(self, proposal: Proposal, applied: Mapping[str, object]) -> str:
        workspace, name = proposal.workspace, proposal.change.agent
        now = await self._must_find(proposal)
        version, before = int(str(applied["version"])), int(str(applied["before"]))
        if now.version == version:
            await self._agents.point(workspace, name, before, base=version)
            return f"{name} is back to v{before}."
        without = await self._without(proposal, now, before)
        if without is None:
            return f"{name} v{now.version} no longer has it."
        made = await self._agents.deploy(
            workspace, without, base=now.version, source=f"{proposal.ref}:rollback"
        )
        return f"{name} v{made.version} is in use: the same without it, later changes kept."

    async def _without(
        self, proposal: Proposal, now: AgentVersion, before: int
    ) -> AgentVersion | None:
        """The present version less this one change; None if the change is no longer in it."""
        if wording := proposal.change.instructions:
            old = await self._agents.version(proposal.workspace, now.name, before)
            if old is None or now.instructions != wording:
                return None
            return replace(now, instructions=old.instructions)
        bullet = next((b.id for b in now.playbook if b.source == proposal.ref), "")
        return now.without_bullet(bullet) if bullet else None

    async def _must_find(self, proposal: Proposal) -> AgentVersion:
        name = proposal.change.agent
        if now := await self.current(proposal.workspace, name):
            return now
        raise NotFound(
            f"{proposal.ref} is about {name}, which is gone",
            said=f"There is no agent {name} any more, so {proposal.ref} can't be done.",
        )
