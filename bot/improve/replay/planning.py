"""A replay before it begins: both rosters, and the recorded requests that it is about."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from bot.improve.replay import tasks
from bot.improve.replay.arms import Overlaid, Rosters, overlaid
from bot.model.agent import AgentVersion
from bot.model.proposal import Proposal
from bot.ports.clock import Clock
from bot.ports.stores import Agents, Replays

Prepare = Callable[[Proposal], Awaitable[Overlaid]]
"""Makes a proposal's versions in the archive. Raises NotFound or Conflict where they can't be."""

_DAY = 86_400_000
_MS_BACK = 90 * _DAY
_LOOKED_AT = 2_000


@dataclass(frozen=True, slots=True)
class Plan:
    """`found` is how many recorded requests could have been taken."""

    tasks: tuple[str, ...]
    found: int


class Planning:
    def __init__(
        self, replays: Replays, agents: Agents, prepare: Prepare, clock: Clock, most: int
    ) -> None:
        """`most` pairs are taken."""
        self._replays, self._agents, self._prepare = replays, agents, prepare
        self._clock, self._most = clock, most

    async def rosters(self, proposal: Proposal) -> Rosters:
        """Raises NotFound or Conflict where the change can't be made any more."""
        made, workspace = await self._prepare(proposal), proposal.workspace
        roster = {agent.name: agent for agent in await self._agents.current(workspace)}
        now = overlaid(roster, await self._versions(workspace, made.base))
        then = overlaid(roster, await self._versions(workspace, made.overlay))
        return Rosters(now, then)

    async def plan(self, proposal: Proposal, *, judged: bool) -> Plan:
        """`judged` says that a judge scores: then answers that nobody rated will do too."""
        rosters = await self.rosters(proposal)
        if not (rosters.changed or rosters.reroutes):
            return Plan((), 0)
        material = await self._replays.material(
            proposal.workspace,
            () if rosters.reroutes else rosters.changed,
            self._clock.now() - _MS_BACK,
            _LOOKED_AT,
        )
        fitting = [
            one
            for one in tasks.held_out(material, set(proposal.evidence), accepted=not judged)
            if rosters.of(one.agent, one.message)
        ]
        return Plan(tasks.choose(fitting, self._most, proposal.fingerprint), len(fitting))

    async def _versions(
        self, workspace: str, numbers: Mapping[str, int]
    ) -> Mapping[str, AgentVersion | None]:
        return {
            name: await self._agents.version(workspace, name, number) if number else None
            for name, number in numbers.items()
        }
