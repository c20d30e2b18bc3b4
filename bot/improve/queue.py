"""Which proposals are looked at now: so many in a place, the best first, and the rest wait."""

from collections import Counter
from collections.abc import Sequence

from bot.model.proposal import Proposal, ProposalStatus
from bot.ports.stores import Proposals

ADMIN = "admin"
"""The place of what nobody asked for: where cards go by the policy."""
_READ = 500
_S = ProposalStatus


class Queue:
    """`most` is how many may wait for a decision in one place: people stop reading a longer pile."""

    def __init__(self, proposals: Proposals, most: int) -> None:
        self._proposals, self._most = proposals, most

    async def has_room(self, proposal: Proposal) -> bool:
        """A little more may be offered where two come at once; nothing is lost by that."""
        return (await self._open(proposal.workspace))[place(proposal)] < self._most

    async def next(self, workspace: str) -> Sequence[Proposal]:
        """Of those that wait, the ones that there is room for, best first."""
        taken, found = await self._open(workspace), list[Proposal]()
        for proposal in await self.waiting(workspace):
            if taken[place(proposal)] < self._most:
                taken[place(proposal)] += 1
                found.append(proposal)
        return found

    async def waiting(self, workspace: str) -> Sequence[Proposal]:
        drafted = await self._proposals.list(workspace, [_S.DRAFTED], _READ)
        return sorted(drafted, key=lambda p: (-p.rank, p.number))

    async def _open(self, workspace: str) -> Counter[str]:
        offered = await self._proposals.list(workspace, [_S.OFFERED], _READ)
        return Counter(map(place, offered))


def place(proposal: Proposal) -> str:
    where = proposal.estimate.get("place")
    return where if isinstance(where, str) and where else ADMIN
