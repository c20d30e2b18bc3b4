"""What is shown already, for channels: a workspace's cards as they stand, and what was sent."""

from collections.abc import Collection

from bot.improve.proposals import ProposalDesk
from bot.model.codec import reply_from_json
from bot.model.message import Reply
from bot.model.proposal import ProposalStatus
from bot.ports.outbox import Outbox
from bot.ports.stores import Proposals


class Shown:
    def __init__(self, proposals: Proposals, desk: ProposalDesk, outbox: Outbox) -> None:
        self._proposals, self._desk, self._outbox = proposals, desk, outbox

    async def cards(self, workspace: str, refs: Collection[str]) -> list[Reply]:
        """The undecided proposals and those of the given refs."""
        offered = await self._proposals.list(workspace, (ProposalStatus.OFFERED,))
        named = [await self._proposals.get(workspace, ref) for ref in refs]
        wanted = {proposal.ref: proposal for proposal in (*named, *offered) if proposal}
        return [await self._desk.card(proposal) for proposal in wanted.values()]

    async def reply(self, workspace: str, delivery_id: str) -> Reply | None:
        delivery = await self._outbox.get(workspace, delivery_id)
        return reply_from_json(delivery.reply) if delivery else None
