"""Proposals: drafted from evidence, offered on a card, decided once, applied and undone."""

from bot.model.person import Person
from bot.model.proposal import Proposal
from bot.model.run import Run


class ProposalDesk:
    """Every way a proposal moves. Cards go out and are updated through `Post`."""

    async def from_words(self, run: Run, words: str, person: Person, source_run: str) -> Proposal:
        """Drafts and offers what `/better words` about `run` asks for; the same `source_run`
        twice is one proposal."""
        raise NotImplementedError

    async def approve(self, workspace: str, ref: str, person: Person) -> Proposal:
        """Deploys the change. Raises NotFound, Forbidden, or Conflict (who and when)."""
        raise NotImplementedError

    async def decline(self, workspace: str, ref: str, person: Person, reason: str) -> Proposal:
        raise NotImplementedError

    async def edit(self, workspace: str, ref: str, person: Person, text: str) -> Proposal:
        raise NotImplementedError

    async def rollback(self, workspace: str, ref: str, person: Person) -> Proposal:
        raise NotImplementedError
