"""What a person may press on a proposal now: no button that is refused, and none that is missing."""

from dataclasses import dataclass

from bot.errors import Conflict, Forbidden, NotFound
from bot.improve.approvals import Approvals, must_have_role
from bot.improve.deciding import Deciding
from bot.model.person import Person, Role
from bot.model.proposal import Proposal


@dataclass(frozen=True, slots=True)
class Presses:
    """`why` says why they may not approve it, "" where they may. `change` is to edit or decline."""

    approve: bool = False
    change: bool = False
    why: str = ""


class Pressing:
    """Asks what the desk asks when it is pressed, by the rights as they are now."""

    def __init__(self, approvals: Approvals, deciding: Deciding) -> None:
        self._approvals, self._deciding = approvals, deciding

    async def of(self, proposal: Proposal, person: Person) -> Presses:
        if not person.role.may(Role.APPROVER) or not await self._deciding.open(proposal):
            return Presses()
        try:
            need = await self._approvals.need(proposal)
            must_have_role(proposal, person, need)
            await self._approvals.must_be_allowed(proposal, person, need)
            await self._deciding.must_fit(proposal)
        except (Conflict, Forbidden, NotFound) as error:
            return Presses(change=True, why=error.said)
        if await self._approvals.would_count(proposal, person, need):
            return Presses(approve=True, change=True)
        return Presses(change=True, why="Your approval is noted; it takes someone else's as well.")
