"""The moves that end an offer: by a person, by the policy, or by its time; each made once."""

import structlog

from bot.errors import Conflict, NotFound
from bot.improve.approvals import Approvals
from bot.improve.brake import Brake
from bot.improve.policies import PolicyBook
from bot.improve.release import Release
from bot.improve.showing import Showing
from bot.improve.trials.desk import TrialDesk
from bot.model.person import Person
from bot.model.policy import POLICY, AtExpiry, Need
from bot.model.proposal import Proposal, ProposalStatus
from bot.model.words import one_line
from bot.ports.clock import Clock
from bot.ports.stores import Proposals

log = structlog.get_logger()

_S = ProposalStatus


class Unapproved(Conflict):
    """What it would do by now takes someone else than who approved it."""


_LONGEST_REASON = 500


class Deciding:
    """Who may is asked before: here it is done, and done again without harm after a crash."""

    def __init__(
        self,
        proposals: Proposals,
        release: Release,
        approvals: Approvals,
        book: PolicyBook,
        showing: Showing,
        clock: Clock,
        brake: Brake,
        trying: TrialDesk,
    ) -> None:
        self._proposals, self._release, self._approvals = proposals, release, approvals
        self._book, self._showing, self._clock = book, showing, clock
        self._brake, self._trying = brake, trying

    async def must_be_open(self, proposal: Proposal) -> Proposal:
        """Raises Conflict for what is decided, or whose time is over before the job has seen it."""
        if proposal.status is _S.OFFERED and proposal.expires_at <= self._clock.now():
            proposal = await self.expired(proposal) or proposal
        if proposal.status is not _S.OFFERED:
            raise await self._showing.taken(proposal)
        return proposal

    async def open(self, proposal: Proposal) -> bool:
        """Whether `must_be_open` would let it pass; nothing is ended."""
        if proposal.status is not _S.OFFERED or proposal.expires_at > self._clock.now():
            return proposal.status is _S.OFFERED
        policy = await self._book.current(proposal.workspace)
        return policy.at_expiry is AtExpiry.WAIT

    async def decide(
        self,
        proposal: Proposal,
        to: ProposalStatus,
        by: str,
        reason: str = "",
        run: str = "",
    ) -> Proposal:
        """Raises Conflict where it was decided otherwise meanwhile."""
        try:
            return await self._proposals.move(
                proposal.workspace,
                proposal,
                to,
                by=by,
                at=self._clock.now(),
                reason=one_line(reason, _LONGEST_REASON),
                run=run,
            )
        except Conflict:
            now = await self._showing.find(proposal.workspace, proposal.ref)
            need = await self._approvals.need(now)
            both = to is _S.APPROVED and by in [
                p.id for p in await self._approvals.given(now, need)
            ]
            done = now.status is to or (to is _S.APPROVED and now.status is _S.TRIALLED)
            if done and (now.decided_by == by or both):
                return now
            raise await self._showing.taken(now) from None

    async def applied(self, proposal: Proposal) -> Proposal:
        """In use or on trial, once however often this is called, and shown as it stands. While the
        loop is frozen the approval is noted, and waits."""
        if proposal.applied is None and not await self._brake.frozen(proposal.workspace):
            proposal = await self._carried_out(proposal)
        await self._showing.show(proposal)
        return proposal

    async def finished(self, proposal: Proposal) -> None:
        """An approved one carried out, or ended where that can't be done any more: its agent has
        left or is protected meanwhile."""
        try:
            await self.applied(proposal)
        except (Conflict, NotFound) as error:
            if not isinstance(error, Unapproved) and await self._fits(proposal):
                raise
            await self._showing.show(await self._ended(proposal, error))

    async def _carried_out(self, proposal: Proposal) -> Proposal:
        if not await self._release.stands(proposal):
            await self._must_be_approved(proposal)
        if self._trying.takes(proposal):
            return await self._trying.begin(proposal)
        if not await self._release.stands(proposal):
            # It may have waited while the loop was frozen.
            await self._brake.must_be_unprotected(proposal.workspace, touched(proposal))
        made = await self._release.apply(proposal, proposal.decided_by)
        return await self._proposals.set_applied(proposal.workspace, proposal, made)

    async def _must_be_approved(self, proposal: Proposal) -> None:
        """It may have waited while the loop was frozen. Raises Unapproved."""
        if more := await self._approvals.unseen(proposal):
            said = one_line(", ".join(more), 200)
            raise Unapproved(
                f"{proposal.ref} widens by now: {said}",
                said=f"{proposal.ref} takes an owner by now, because of {said}. Ask for it again.",
            )

    async def expired(self, proposal: Proposal) -> Proposal | None:
        """As it stands once its time is over; None where it goes on waiting, or was decided."""
        policy = await self._book.current(proposal.workspace)
        if policy.at_expiry is AtExpiry.WAIT:
            return None
        need = await self._approvals.need(proposal)
        approves = policy.at_expiry is AtExpiry.APPROVE and need.people < 2 and not need.owner
        now = self._clock.now()
        try:
            if approves and await self._fits(proposal):
                return await self.applied(await self.decide(proposal, _S.APPROVED, POLICY))
            expired = await self._proposals.move(proposal.workspace, proposal, _S.EXPIRED, at=now)
        except (Conflict, NotFound) as error:
            log.info("not_expired", proposal=proposal.ref, cause=str(error))
            return None
        await self._showing.show(expired)
        return expired

    async def took_part(self, proposal: Proposal, person: Person, need: Need) -> bool:
        given = [p.id for p in await self._approvals.given(proposal, need)]
        return person.id in (proposal.decided_by, *given)

    async def must_fit(self, proposal: Proposal) -> None:
        """Raises NotFound or Conflict where it can't be put into use any more, or may not."""
        await self._brake.must_be_unprotected(proposal.workspace, touched(proposal))
        await self._release.check(proposal)

    async def still_fits(self, proposal: Proposal) -> bool:
        """False for one that waited until it can't be done any more, which ends it."""
        try:
            await self._release.check(proposal)
        except (Conflict, NotFound) as error:
            await self._ended(proposal, error)
            return False
        return True

    async def _ended(self, proposal: Proposal, error: Conflict | NotFound) -> Proposal:
        now, why = self._clock.now(), one_line(error.said, _LONGEST_REASON)
        return await self._proposals.move(
            proposal.workspace, proposal, _S.SUPERSEDED, at=now, reason=why
        )

    async def _fits(self, proposal: Proposal) -> bool:
        """Whether it could still be put into use."""
        try:
            await self.must_fit(proposal)
        except (Conflict, NotFound) as error:
            log.info("does_not_fit", proposal=proposal.ref, cause=str(error))
            return False
        return True


def touched(proposal: Proposal) -> set[str]:
    """The agents that it would change."""
    return {proposal.change.agent, proposal.change.name} - {""}


def decided_as(proposal: Proposal, status: ProposalStatus, by: str) -> bool:
    return proposal.status is status and proposal.decided_by == by
