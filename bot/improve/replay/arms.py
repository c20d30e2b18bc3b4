"""Which versions answer a recorded request, with the change and without it; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from bot.agents.router import Router
from bot.errors import NotFound
from bot.model.agent import AgentVersion


class Overlaid(Protocol):
    """A candidate's roster where it differs, and what stood there: {agent: version}, 0 for none."""

    @property
    def overlay(self) -> Mapping[str, int]: ...

    @property
    def base(self) -> Mapping[str, int]: ...


@dataclass(frozen=True, slots=True)
class Arms:
    incumbent: AgentVersion
    candidate: AgentVersion


class Rosters:
    """With the change (`then`) and without (`now`). Where it leaves open who takes what, the agent
    that answered then answers again; otherwise each roster's own words decide."""

    def __init__(self, now: Mapping[str, AgentVersion], then: Mapping[str, AgentVersion]) -> None:
        self._now, self._then = now, then
        self.reroutes = _specialties(now) != _specialties(then)
        self._routers = [Router(list(r.values())) for r in (now, then) if self.reroutes and r]

    @property
    def changed(self) -> tuple[str, ...]:
        """Agents that are there either way and answer differently."""
        return tuple(n for n, v in self._now.items() if self._then.get(n, v) != v)

    def of(self, agent: str, message: str, hint: str = "") -> Arms | None:
        """For a request that `agent` answered. None where the same version answers either way:
        then there is nothing to compare."""
        try:
            incumbent, candidate = self._taken(agent, message, hint)
        except NotFound:
            return None
        if incumbent is None or candidate is None or incumbent == candidate:
            return None
        return Arms(incumbent, candidate)

    def _taken(
        self, agent: str, message: str, hint: str
    ) -> tuple[AgentVersion | None, AgentVersion | None]:
        if len(self._routers) < 2:
            return self._now.get(agent), self._then.get(agent)
        now, then = (router.decide(message, hint=hint).agent for router in self._routers)
        return now, then


def overlaid(
    roster: Mapping[str, AgentVersion], versions: Mapping[str, AgentVersion | None]
) -> Mapping[str, AgentVersion]:
    """The roster with these versions in it, and without those that are None."""
    both = {**roster, **versions}
    return {name: version for name, version in both.items() if version is not None}


def _specialties(roster: Mapping[str, AgentVersion]) -> Mapping[str, str]:
    return {name: version.specialty for name, version in roster.items()}
