"""Taking a change out of the roster again; what came after it stays."""

from collections.abc import Mapping

from bot.improve.changes.revert import reverted
from bot.model.agent import AgentVersion
from bot.model.proposal import Proposal
from bot.model.trial import GONE
from bot.ports.stores import Agents


class Withdrawing:
    def __init__(self, agents: Agents) -> None:
        self._agents = agents

    async def withdraw(self, proposal: Proposal) -> str:
        """Says what is in use now. Raises Conflict where someone changes it just now."""
        workspace = proposal.workspace
        overlay, base = _recorded(proposal)
        roster = {agent.name: agent for agent in await self._agents.current(workspace)}
        if {name: _number(roster.get(name)) for name in overlay} == overlay:
            await self._agents.swap(workspace, overlay, base)
            return _back(base)
        said = [
            await self._taken_out(proposal, roster.get(name), name, overlay[name], base[name])
            for name in overlay
        ]
        return " ".join(said)

    async def _taken_out(
        self, proposal: Proposal, now: AgentVersion | None, name: str, made: int, before: int
    ) -> str:
        """Of one agent that was changed since, or never got it."""
        workspace = proposal.workspace
        if _number(now) == made:
            await self._agents.swap(workspace, {name: made}, {name: before})
            return _back({name: before})
        if now is None:
            return f"{name} is gone already."
        if made == GONE:
            return f"{name} v{now.version} is in use."
        if before == GONE:
            await self._agents.retire(workspace, name, base=now.version)
            return _back({name: GONE})
        without = await self._without(workspace, now, made, before)
        if without is None:
            return f"{name} v{now.version} no longer has it."
        again = await self._agents.deploy(
            workspace, without, base=now.version, source=f"{proposal.ref}:rollback"
        )
        return f"{name} v{again.version} is in use: the same without it, later changes kept."

    async def _without(
        self, workspace: str, now: AgentVersion, made: int, before: int
    ) -> AgentVersion | None:
        """The present version less this one change; None if the change is no longer in it."""
        new = await self._agents.version(workspace, now.name, made)
        old = await self._agents.version(workspace, now.name, before)
        return reverted(now, new, old) if new and old else None


def _recorded(proposal: Proposal) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """What was put into use and what stood there, by older records too."""
    applied = proposal.applied or {}
    overlay, base = applied.get("overlay"), applied.get("base")
    if isinstance(overlay, Mapping) and isinstance(base, Mapping):
        return overlay, base
    name = proposal.change.agent
    return {name: int(str(applied["version"]))}, {name: int(str(applied["before"]))}


def _number(agent: AgentVersion | None) -> int:
    return agent.version if agent else GONE


def _back(base: Mapping[str, int]) -> str:
    return " ".join(
        f"{name} is back to v{version}." if version else f"{name} is gone; its versions are kept."
        for name, version in base.items()
    )
