"""Proposals: drafted from evidence, offered on a card, decided once, applied and undone."""

from dataclasses import replace

import structlog

from bot.errors import BadInput, Conflict, Forbidden, NotFound, RatchetError
from bot.improve import cards, drafting
from bot.improve.drafting import Draft
from bot.improve.release import Release
from bot.improve.wording import Wording
from bot.model.finding import Finding
from bot.model.message import Reply
from bot.model.person import Person, Role
from bot.model.proposal import Proposal, ProposalStatus
from bot.model.run import Run
from bot.model.words import one_line
from bot.ports.clock import Clock, Ids
from bot.ports.post import Post
from bot.ports.stores import People, Proposals

log = structlog.get_logger()

_S = ProposalStatus
_IN_USE = (_S.APPROVED, _S.TRIALLED, _S.KEPT)
_LONGEST_REASON = 500
_DAY = 86_400_000


class ProposalDesk:
    """Every way a proposal moves. Cards go out and are updated through `Post`."""

    def __init__(
        self,
        proposals: Proposals,
        release: Release,
        people: People,
        post: Post,
        clock: Clock,
        ids: Ids,
        days: int,
        wording: Wording | None = None,
    ) -> None:
        """`days` until an undecided one expires. `wording` is given where a model is connected."""
        self._proposals, self._release, self._people = proposals, release, people
        self._post, self._clock, self._ids, self._days = post, clock, ids, days
        self._wording = wording

    async def from_words(
        self, run: Run, words: str, person: Person, source_run: str, place: str = ""
    ) -> Proposal:
        """Drafts and offers what `/better words` about `run` asks for; the same `source_run`
        twice is one proposal. `place` is where it was said, and where the card is shown anyway.

        Where the same change was proposed before, that proposal is returned as it stands: offered,
        in use, declined or expired. One that was rolled back may be asked for again.
        """
        agent = await self._release.current(run.workspace, run.agent) if run.agent else None
        draft = drafting.from_words(words, agent, run.message)
        if draft is None:
            raise BadInput(
                "no words",
                said="Say in your own words what should be better, for example: "
                "/better answer in two sentences.",
            )
        fresh = self._fresh(draft, run.workspace, source_run, (run.id,), person.id)
        while True:
            kept, new = await self._proposals.add(fresh)
            undone = kept.status in (_S.ROLLED_BACK, _S.SUPERSEDED)
            if new or kept.id == source_run or not undone:
                return await self._offer(kept, place)
            fresh = replace(fresh, fingerprint=drafting.again(kept))

    async def from_finding(self, finding: Finding, run_id: str = "") -> Proposal | None:
        """Drafts and offers what a finding asks for; None if that is nothing, or if it was
        proposed before, whatever became of it. `run_id` is the job's run, which pays for the
        wording."""
        agent = None
        if finding.agent:
            agent = await self._release.current(finding.workspace, finding.agent)
        draft = drafting.from_finding(finding, agent)
        if draft is None:
            return None
        if self._wording and agent and run_id and draft.change.bullet:
            draft = await self._wording.reword(draft, finding, agent, run_id)
        fresh = self._fresh(draft, finding.workspace, self._ids.run_id(), finding.evidence, "")
        kept, new = await self._proposals.add(fresh)
        if not new and kept.status not in (_S.DRAFTED, _S.OFFERED):
            return None
        kept = await self._offer(kept)
        return kept if new else None

    async def approve(self, workspace: str, ref: str, person: Person) -> Proposal:
        """Deploys the change. Raises NotFound, Forbidden, or Conflict (who and when)."""
        proposal = await self._find(workspace, ref)
        _must_be_allowed(proposal, person, "approved")
        if not self._decided_as(proposal, _S.APPROVED, person):
            if proposal.status is not _S.OFFERED:
                raise await self._taken(proposal)
            await self._release.check(proposal)
            proposal = await self._decide(proposal, _S.APPROVED, person)
        return await self._applied(proposal)

    async def decline(self, workspace: str, ref: str, person: Person, reason: str) -> Proposal:
        """Keeps it with the reason; it is not proposed again. Raises as `approve` does."""
        proposal = await self._find(workspace, ref)
        if not person.role.may(Role.APPROVER):
            raise _forbidden(proposal, person, "declined", Role.APPROVER)
        if not self._decided_as(proposal, _S.DECLINED, person):
            if proposal.status is not _S.OFFERED:
                raise await self._taken(proposal)
            proposal = await self._decide(proposal, _S.DECLINED, person, reason)
        await self._show(proposal)
        return proposal

    async def edit(self, workspace: str, ref: str, person: Person, text: str) -> Proposal:
        """Changes what it would do while it is offered. Raises as `approve` does, and BadInput."""
        proposal = await self._find(workspace, ref)
        if not person.role.may(Role.APPROVER):
            raise _forbidden(proposal, person, "edited", Role.APPROVER)
        if proposal.status is not _S.OFFERED:
            raise await self._taken(proposal)
        name = proposal.change.agent
        agent = await self._release.current(workspace, name) if name else None
        draft = drafting.reworded(proposal, text, agent)
        if draft is None:
            raise BadInput("no words", said=f"Say what {ref} should say instead: /edit {ref} words")
        if draft.change != proposal.change:
            proposal = await self._proposals.amend(workspace, _with(proposal, draft))
        await self._show(proposal)
        return proposal

    async def rollback(
        self, workspace: str, ref: str, person: Person, reason: str = ""
    ) -> Proposal:
        """Undoes an approved change. Raises as `approve` does."""
        proposal = await self._find(workspace, ref)
        _must_be_allowed(proposal, person, "rolled back")
        if not self._decided_as(proposal, _S.ROLLED_BACK, person):
            if proposal.status not in _IN_USE:
                raise await self._taken(proposal)
            proposal = await self._applied(proposal)
            said = await self._release.undo(proposal)
            reason = f"{reason.rstrip('.')}. {said}" if reason else said
            # Undone first, recorded second: whoever is cut off in between undoes it once more.
            proposal = await self._decide(proposal, _S.ROLLED_BACK, person, reason)
        await self._show(proposal)
        return proposal

    async def expire(self, workspace: str) -> int:
        """Ends offers whose time is over; returns how many."""
        due = await self._proposals.due(workspace, self._clock.now())
        ended = 0
        for proposal in due:
            try:
                expired = await self._proposals.move(
                    workspace, proposal, _S.EXPIRED, at=self._clock.now()
                )
            except Conflict:
                continue
            await self._show(expired)
            ended += 1
        return ended

    async def settle(self, workspace: str) -> int:
        """Finishes what a crash cut off: approved ones are applied, drafted ones offered."""
        drafted = await self._proposals.list(workspace, [_S.DRAFTED])
        approved = await self._proposals.unapplied(workspace)
        for proposal in drafted:
            await self._offer(proposal)
        for proposal in approved:
            try:
                await self._applied(proposal)
            except RatchetError as error:
                log.error("proposal_not_applied", proposal=proposal.ref, cause=str(error))
        return len(drafted) + len(approved)

    async def card(self, proposal: Proposal) -> Reply:
        """The proposal as it stands."""
        return cards.offer(proposal, by=await self._name(proposal.workspace, proposal.decided_by))

    def _fresh(
        self, draft: Draft, workspace: str, id: str, evidence: tuple[str, ...], by: str
    ) -> Proposal:
        now = self._clock.now()
        return Proposal(
            id=id,
            workspace=workspace,
            number=0,
            kind=draft.kind,
            status=_S.DRAFTED,
            title=draft.title,
            change=draft.change,
            base_version=draft.base_version,
            diff=draft.diff,
            evidence=evidence,
            expected=draft.expected,
            risk=draft.risk,
            fingerprint=draft.fingerprint,
            created_at=now,
            expires_at=now + self._days * _DAY,
            created_by=by,
        )

    async def _offer(self, proposal: Proposal, place: str = "") -> Proposal:
        if proposal.status is _S.DRAFTED:
            try:
                proposal = await self._proposals.move(proposal.workspace, proposal, _S.OFFERED)
            except Conflict:
                proposal = await self._find(proposal.workspace, proposal.ref)
        if proposal.status is _S.OFFERED:
            card = await self.card(proposal)
            key = f"proposal:{proposal.id}"
            await self._post.to_admins(proposal.workspace, card, key=key, besides=place)
        return proposal

    async def _decide(
        self, proposal: Proposal, to: ProposalStatus, person: Person, reason: str = ""
    ) -> Proposal:
        try:
            return await self._proposals.move(
                proposal.workspace,
                proposal,
                to,
                by=person.id,
                at=self._clock.now(),
                reason=one_line(reason, _LONGEST_REASON),
            )
        except Conflict:
            now = await self._find(proposal.workspace, proposal.ref)
            if self._decided_as(now, to, person):
                return now
            raise await self._taken(now) from None

    async def _applied(self, proposal: Proposal) -> Proposal:
        if proposal.applied is None:
            made = await self._release.apply(proposal, proposal.decided_by)
            proposal = await self._proposals.set_applied(proposal.workspace, proposal, made)
        await self._show(proposal)
        return proposal

    async def _show(self, proposal: Proposal) -> None:
        await self._post.update_card(proposal.workspace, proposal.ref, await self.card(proposal))

    async def _find(self, workspace: str, ref: str) -> Proposal:
        if proposal := await self._proposals.get(workspace, ref):
            return proposal
        said = f"I know no proposal {one_line(ref, 20)}. /proposals lists them."
        raise NotFound(f"no proposal {ref!r}", said=said)

    def _decided_as(self, proposal: Proposal, status: ProposalStatus, person: Person) -> bool:
        return proposal.status is status and proposal.decided_by == person.id

    async def _taken(self, proposal: Proposal) -> Conflict:
        """The error for whoever comes second: what was decided, by whom and when."""
        by = await self._name(proposal.workspace, proposal.decided_by)
        if proposal.status is _S.OFFERED:
            said = f"{proposal.ref} was edited just now. Look at it once more: /proposals"
        else:
            said = f"{proposal.ref} is decided already. {cards.status(proposal, by=by)}"
        return Conflict(f"{proposal.ref} is {proposal.status}", said=said)

    async def _name(self, workspace: str, person: str) -> str:
        found = await self._people.get(workspace, person) if person else None
        return (found.name or found.id) if found else ""


def _must_be_allowed(proposal: Proposal, person: Person, what: str) -> None:
    needed = Role.APPROVER if proposal.risk == Role.APPROVER else Role.OWNER
    if not person.role.may(needed):
        raise _forbidden(proposal, person, what, needed)


def _forbidden(proposal: Proposal, person: Person, what: str, needed: Role) -> Forbidden:
    return Forbidden(
        f"{person.role} {person.id} may not: {proposal.ref} {what}",
        said=f"{proposal.ref} can be {what} by an {needed.value} only; you are a "
        f"{person.role.value}.",
    )


def _with(proposal: Proposal, draft: Draft) -> Proposal:
    return replace(
        proposal,
        kind=draft.kind,
        change=draft.change,
        title=draft.title,
        diff=draft.diff,
        expected=draft.expected,
        risk=draft.risk,
        fingerprint=draft.fingerprint,
        base_version=draft.base_version,
    )
