"""Which role a proposal takes at least, by what it would change as things are now."""

from collections.abc import Mapping

from bot.errors import Conflict, NotFound
from bot.improve.changes.widening import outgrown, widened
from bot.improve.release import Release
from bot.improve.synthesis.lint import suspicious
from bot.model.agent import AgentVersion
from bot.model.chat import ModelRequest
from bot.model.proposal import Proposal, ProposalKind
from bot.model.trial import GONE
from bot.ports.models import Model

OWNER, APPROVER = "owner", "approver"
_TYPICAL = ({"role": "user", "content": "word " * 1000},)


class Rights:
    """Computed from versions, never from what a proposal says of itself."""

    def __init__(self, release: Release, model: Model) -> None:
        self._release, self._model = release, model

    async def risk(self, proposal: Proposal) -> str:
        """ "owner" for what widens, and for what can't be told; what was an owner's stays one's."""
        if proposal.risk != APPROVER or not proposal.undecided:
            return proposal.risk
        return OWNER if await self.reasons(proposal) else APPROVER

    async def reasons(self, proposal: Proposal) -> list[str]:
        """Why it takes an owner, in words; nothing where it doesn't."""
        orders = ["words that give orders about rights or rules"]
        told = orders if suspicious(_words(proposal)) else []
        if proposal.kind is ProposalKind.MEMORY_NEW:
            return told
        if proposal.kind is ProposalKind.OPS_ACTION:
            return await self._of_action(proposal)
        try:
            changed = await self._release.would_be(proposal)
        except (Conflict, NotFound):
            return ["it can't be done as things are"]
        now = await self._release.roster(proposal.workspace)
        return [*told, *widened(now, changed, self.dearer)]

    async def grown(
        self, workspace: str, approved: Mapping[str, int], made: Mapping[str, int]
    ) -> list[str]:
        """What a candidate that was made anew would be allowed beyond the one that was approved
        ({agent: version} each, of the archive) and beyond what is in use, in words."""
        if approved == made:
            return []
        before = {name: await self._found(workspace, name, v) for name, v in approved.items()}
        after = {name: await self._found(workspace, name, v) for name, v in made.items()}
        known = {name: agent for name, agent in before.items() if agent}
        return outgrown(known, await self._release.roster(workspace), after, self.dearer)

    async def _found(self, workspace: str, name: str, version: int) -> AgentVersion | None:
        if version == GONE:
            return None
        return await self._release.version(workspace, name, version)

    async def _of_action(self, proposal: Proposal) -> list[str]:
        """Back to a version that may no more than the present one is an approver's; budgets and
        jobs are an owner's."""
        config, name = proposal.change.config, proposal.change.agent
        version = config.get("version")
        if config.get("do") != "point" or not isinstance(version, int):
            return ["how the bot is run"]
        now = await self._release.roster(proposal.workspace)
        target = await self._release.version(proposal.workspace, name, version)
        if target is None or name not in now:
            return ["it can't be done as things are"]
        return widened(now, {name: target}, self.dearer)

    def dearer(self, model: str, than: str) -> bool:
        new, old = (self._cost(name or self._model.default) for name in (model, than))
        return new is None or old is None or new > old

    def _cost(self, model: str) -> float | None:
        request = ModelRequest(model=model, messages=_TYPICAL, max_tokens=1000)
        return self._model.estimate(request).cost_usd


def _words(proposal: Proposal) -> str:
    """All that an agent would be told by it."""
    change = proposal.change
    spec = [str(change.config.get(key, "")) for key in ("specialty", "instructions")]
    guard = str(change.guard.get("advice", ""))
    return "\n".join([change.bullet, change.text, change.instructions, guard, *spec])
