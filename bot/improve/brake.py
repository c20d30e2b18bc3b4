"""The brake: what may not change now, the whole loop or an agent, and which agents rest."""

from collections.abc import Collection, Mapping

from bot.errors import Conflict
from bot.model.words import one_line, when
from bot.ports.clock import Clock
from bot.ports.stores import Agents, Hold, Holds

LOOP = "loop"
_AGENT, _PAUSED = "agent:", "paused:"


class Brake:
    """Freezing stops what is new, and never a person who takes something back: that is the way
    out. What is protected is not taken back either, until its protection is."""

    def __init__(self, holds: Holds, agents: Agents, clock: Clock) -> None:
        self._holds, self._agents, self._clock = holds, agents, clock

    async def frozen(self, workspace: str) -> Hold | None:
        return (await self._holds.all(workspace)).get(LOOP)

    async def freeze(self, workspace: str, by: str, reason: str = "") -> bool:
        """False if it was frozen already."""
        return await self._put(workspace, LOOP, by, reason)

    async def unfreeze(self, workspace: str) -> bool:
        return await self._holds.lift(workspace, LOOP)

    async def protect(
        self, workspace: str, agent: str, version: int, by: str, reason: str = ""
    ) -> bool:
        """`version` 0 protects whatever version is in use."""
        return await self._put(workspace, _named(agent, version), by, reason)

    async def unprotect(self, workspace: str, agent: str, version: int = 0) -> bool:
        """With `version` 0 each of its versions as well."""
        held = await self._holds.all(workspace)
        mine = [_named(agent, version)]
        if not version:
            mine += [what for what in held if what.startswith(f"{_AGENT}{agent}:")]
        lifted = [await self._holds.lift(workspace, what) for what in mine]
        return any(lifted)

    async def protected(self, workspace: str, agents: Collection[str]) -> Mapping[str, Hold]:
        """Those of these agents that may not change now, in any version or in the one in use."""
        held = await self._holds.all(workspace)
        if not any(what.startswith(_AGENT) for what in held):
            return {}
        current = {a.name: a.version for a in await self._agents.current(workspace)}
        found: dict[str, Hold] = {}
        for name in agents:
            hold = held.get(_named(name, 0)) or held.get(_named(name, current.get(name, -1)))
            if hold:
                found[name] = hold
        return found

    async def pause(self, workspace: str, agent: str, by: str, reason: str = "") -> bool:
        """The agent takes no new requests; False if it took none already."""
        return await self._put(workspace, f"{_PAUSED}{agent}", by, reason)

    async def resume(self, workspace: str, agent: str) -> bool:
        return await self._holds.lift(workspace, f"{_PAUSED}{agent}")

    async def paused(self, workspace: str) -> Mapping[str, Hold]:
        """By the agent's name."""
        held = await self._holds.all(workspace)
        return {w.removeprefix(_PAUSED): h for w, h in held.items() if w.startswith(_PAUSED)}

    async def must_be_free(self, workspace: str, agents: Collection[str]) -> None:
        """Raises Conflict while the loop is frozen, or one of these agents is protected."""
        if hold := await self.frozen(workspace):
            raise Conflict(f"{workspace} is frozen", said=f"{frozen(hold)} `/unfreeze` ends that.")
        await self.must_be_unprotected(workspace, agents)

    async def must_be_unprotected(self, workspace: str, agents: Collection[str]) -> None:
        """Raises Conflict where one of these agents is protected."""
        for name, hold in (await self.protected(workspace, agents)).items():
            raise Conflict(
                f"{name} is protected by {hold.what}",
                said=f"{protected(name, hold)} `/unprotect {name}` ends that.",
            )

    async def _put(self, workspace: str, what: str, by: str, reason: str) -> bool:
        hold = Hold(what, by, one_line(reason, 300), self._clock.now())
        return await self._holds.put(workspace, hold)


def frozen(hold: Hold) -> str:
    since = f"{when(hold.created_at)}{_because(hold)}"
    return f"The loop is frozen since {since}: nothing new is put into use."


def protected(agent: str, hold: Hold) -> str:
    version = hold.what.removeprefix(f"{_AGENT}{agent}").removeprefix(":")
    which = f"{agent} v{version}" if version else agent
    return f"{which} is protected since {when(hold.created_at)}{_because(hold)}: it stays as it is."


def resting(agent: str, hold: Hold) -> str:
    return f"{agent} is paused since {when(hold.created_at)}{_because(hold)}: it takes no requests."


def _because(hold: Hold) -> str:
    return f" ({one_line(hold.reason, 200)})" if hold.reason else ""


def _named(agent: str, version: int) -> str:
    return f"{_AGENT}{agent}:{version}" if version else f"{_AGENT}{agent}"
