"""A proposal as it stands: found by its ref, shown on its cards, named to whoever comes late."""

from bot.errors import Conflict, NotFound
from bot.improve import cards
from bot.improve.approvals import Approvals
from bot.improve.asking import Asking
from bot.improve.brake import Brake
from bot.model.message import Reply
from bot.model.person import Person
from bot.model.policy import POLICY
from bot.model.proposal import IN_USE, Proposal, ProposalStatus
from bot.model.words import one_line
from bot.ports.stores import People, Proposals


class Edited(Conflict):
    """The words that were decided on are not its words any more; `proposal` is it as it is."""

    def __init__(self, proposal: Proposal, said: str) -> None:
        super().__init__(f"{proposal.ref} is at edit {proposal.revision}", said=said)
        self.proposal = proposal


class Showing:
    def __init__(
        self,
        proposals: Proposals,
        people: People,
        approvals: Approvals,
        asking: Asking,
        brake: Brake,
    ) -> None:
        self._proposals, self._people = proposals, people
        self._approvals, self._asking, self._brake = approvals, asking, brake

    async def find(self, workspace: str, ref: str) -> Proposal:
        """Raises NotFound."""
        if proposal := await self._proposals.get(workspace, ref):
            return proposal
        said = f"I know no proposal {one_line(ref, 20)}. /proposals lists them."
        raise NotFound(f"no proposal {ref!r}", said=said)

    async def card(self, proposal: Proposal) -> Reply:
        """The proposal as it stands."""
        workspace, need = proposal.workspace, await self._approvals.need(proposal)
        given = [_called(p) for p in await self._approvals.given(proposal, need)]
        by = await self._name(workspace, proposal.decided_by)
        if proposal.status in IN_USE and by in given:
            by = " and ".join([*(name for name in given if name != by), by])
        editor = await self._name(workspace, proposal.edited_by)
        frozen = proposal.applied is None and bool(await self._brake.frozen(workspace))
        widens = await self._approvals.widens(proposal) if need.owner else ()
        return cards.offer(proposal, cards.Names(by, given, editor, need, frozen, widens))

    async def show(self, proposal: Proposal) -> None:
        """On every card there is of it."""
        await self._asking.show(proposal, await self.card(proposal))

    async def edited(self, proposal: Proposal) -> Edited:
        """The error for whoever decided on other words."""
        editor = await self._name(proposal.workspace, proposal.edited_by)
        by = f" by {editor}" if editor else ""
        return Edited(proposal, f"{proposal.ref} was edited meanwhile{by}. Look at it once more.")

    async def taken(self, proposal: Proposal) -> Conflict:
        """The error for whoever comes second: what was decided, by whom and when."""
        by = await self._name(proposal.workspace, proposal.decided_by)
        if proposal.status is ProposalStatus.OFFERED:
            said = f"{proposal.ref} was edited just now. Look at it once more: /proposals"
        else:
            said = f"{proposal.ref} is decided already. {cards.status(proposal, by=by)}"
        return Conflict(f"{proposal.ref} is {proposal.status}", said=said)

    async def _name(self, workspace: str, person: str) -> str:
        if person == POLICY:
            return "the policy"
        found = await self._people.get(workspace, person) if person else None
        return _called(found) if found else ""


def _called(person: Person) -> str:
    return person.name or person.id
