"""What is done at once and measured by nobody: a fact remembered, an action of running the bot."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from bot.budget import Purse, money
from bot.errors import Conflict, NotFound
from bot.improve.changes.form import malformed
from bot.memory import MemoryBank
from bot.model.budget import Budget, Period, Scope
from bot.model.memory import Memory, Namespace
from bot.model.proposal import Proposal, ProposalKind
from bot.ports.stores import Agents

Applied = Mapping[str, object]


class Jobs(Protocol):
    async def pause(self, workspace: str, job: str, paused: bool) -> None:
        """Raises NotFound for an unknown job."""


class Deeds:
    """Each is done once, and undone once, however often it is called."""

    def __init__(self, agents: Agents, memory: MemoryBank, purse: Purse, jobs: Jobs) -> None:
        self._agents, self._memory, self._purse, self._jobs = agents, memory, purse, jobs
        self._do: Mapping[str, Callable[[Proposal], Awaitable[Applied]]] = {
            "point": self._point,
            "budget": self._budget,
            "pause_job": self._pause,
        }

    async def check(self, proposal: Proposal) -> None:
        """Raises NotFound or Conflict where it can't be done any more."""
        if proposal.kind is ProposalKind.MEMORY_NEW:
            return
        what = str(proposal.change.config.get("do"))
        if what not in self._do:
            raise malformed(proposal, f"no action {what!r}")
        if what == "point":
            name, version, base = _pointing(proposal)
            now = {a.name: a.version for a in await self._agents.current(proposal.workspace)}
            if now.get(name, 0) not in (base, version):
                raise _moved(proposal, name, now.get(name, 0))
            if await self._agents.version(proposal.workspace, name, version) is None:
                raise NotFound(f"no {name} v{version}", said=f"There is no {name} v{version}.")
        if what == "budget":
            _wanted(proposal)

    async def do(self, proposal: Proposal, by: str) -> Applied:
        """What was made, as `Proposal.applied` describes it."""
        if proposal.kind is ProposalKind.MEMORY_NEW:
            return await self._remember(proposal, by)
        await self.check(proposal)
        return await self._do[str(proposal.change.config["do"])](proposal)

    async def undo(self, proposal: Proposal) -> str:
        """Takes it back; says how things are now."""
        applied = proposal.applied or {}
        if proposal.kind is ProposalKind.MEMORY_NEW:
            return await self._forget(proposal, applied)
        match proposal.change.config.get("do"):
            case "point":
                return await self._point_back(proposal)
            case "budget":
                return await self._budget_back(proposal, applied)
            case _:
                job = str(proposal.change.config.get("job", ""))
                await self._jobs.pause(proposal.workspace, job, False)
                return f"The job {job} runs again."

    async def _remember(self, proposal: Proposal, by: str) -> Applied:
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

    async def _forget(self, proposal: Proposal, applied: Applied) -> str:
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

    async def _point(self, proposal: Proposal) -> Applied:
        name, version, base = _pointing(proposal)
        await self._agents.swap(proposal.workspace, {name: base}, {name: version})
        return {"did": f"{name} is back to v{version}.", "agent": name, "before": base}

    async def _point_back(self, proposal: Proposal) -> str:
        name, version, base = _pointing(proposal)
        try:
            await self._agents.swap(proposal.workspace, {name: version}, {name: base})
        except Conflict:
            return f"{name} was changed since then, and stays as it is."
        return f"{name} v{base} is in use again."

    async def _budget(self, proposal: Proposal) -> Applied:
        wanted = _wanted(proposal)
        before = await self._limit(proposal.workspace, wanted)
        if before != wanted.limit_usd:
            await self._purse.set(proposal.workspace, wanted)
        said = f"The budget “{wanted.label}” is {money(wanted.limit_usd)}."
        return {"did": said, "before": _limit_of(proposal, before)}

    async def _budget_back(self, proposal: Proposal, applied: Applied) -> str:
        wanted = _wanted(proposal)
        if await self._limit(proposal.workspace, wanted) != wanted.limit_usd:
            return f"The budget “{wanted.label}” was changed since then, and stays as it is."
        before = Budget(wanted.scope, wanted.key, wanted.period, float(str(applied["before"])))
        await self._purse.set(proposal.workspace, before)
        return f"The budget “{before.label}” is {money(before.limit_usd)} again."

    async def _limit(self, workspace: str, like: Budget) -> float | None:
        same = (like.scope, like.key, like.period)
        found = [
            b.limit_usd
            for b in await self._purse.budgets(workspace)
            if (b.scope, b.key, b.period) == same
        ]
        return found[0] if found else None

    async def _pause(self, proposal: Proposal) -> Applied:
        job = str(proposal.change.config.get("job", ""))
        await self._jobs.pause(proposal.workspace, job, True)
        return {"did": f"The job {job} is paused."}


def _pointing(proposal: Proposal) -> tuple[str, int, int]:
    """(agent, the version to go to, the one to leave)."""
    config = proposal.change.config
    version, base = config.get("version"), config.get("from")
    if not isinstance(version, int) or not isinstance(base, int) or not (version and base):
        raise malformed(proposal, "no versions")
    return proposal.change.agent, version, base


def _wanted(proposal: Proposal) -> Budget:
    config = proposal.change.config
    try:
        scope, period = Scope(str(config.get("scope"))), Period(str(config.get("period")))
        limit = float(str(config.get("limit_usd")))
    except ValueError as error:
        raise malformed(proposal, str(error)) from error
    if not 0 < limit < float("inf"):
        raise malformed(proposal, "no limit")
    return Budget(scope, str(config.get("key", "")), period, limit)


def _limit_of(proposal: Proposal, now: float | None) -> float:
    """What stood there when it was proposed: a second try sees its own first one."""
    said = proposal.change.config.get("before")
    return float(said) if isinstance(said, int | float) else now or 0.0


def _moved(proposal: Proposal, name: str, now: int) -> Conflict:
    is_at = f"it is at v{now} now" if now else "it is gone"
    return Conflict(
        f"{proposal.ref} points {name} elsewhere, which is at v{now}",
        said=f"{name} has changed since {proposal.ref} was made ({is_at}). Decline it and ask "
        "again.",
    )
