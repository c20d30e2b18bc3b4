"""Proposals: drafted from evidence, offered on a card, decided once, applied and undone."""

from dataclasses import replace

import structlog

from bot.errors import BadInput, Conflict, NotFound, RatchetError
from bot.improve import drafting, ranking, rewording, synthesis
from bot.improve.approvals import Approvals, forbidden, must_have_role
from bot.improve.asking import Asking
from bot.improve.brake import Brake
from bot.improve.deciding import Deciding, decided_as, touched
from bot.improve.drafting import Draft
from bot.improve.policies import PolicyBook
from bot.improve.pressing import Pressing
from bot.improve.queue import Queue
from bot.improve.release import Release
from bot.improve.showing import Showing
from bot.improve.synthesis import learning, lint
from bot.improve.trials import telling
from bot.improve.trials.desk import TrialDesk
from bot.improve.wording import Wording
from bot.model.finding import Finding
from bot.model.message import Reply
from bot.model.person import Person, Role
from bot.model.policy import POLICY
from bot.model.proposal import IN_USE, Proposal, ProposalStatus
from bot.model.run import Run
from bot.model.workflow import Workflow
from bot.ports.clock import Clock, Ids
from bot.ports.stores import Proposals

log = structlog.get_logger()

_S = ProposalStatus
_DAY = 86_400_000
_MOST_OPEN = 200
_KEPT_EDITS = 19


class ProposalDesk:
    """Every way a proposal moves. Cards go out and are updated through `Asking`."""

    def __init__(
        self,
        proposals: Proposals,
        release: Release,
        book: PolicyBook,
        approvals: Approvals,
        asking: Asking,
        clock: Clock,
        ids: Ids,
        days: int,
        wording: Wording | None = None,
        *,
        brake: Brake,
        trying: TrialDesk,
        showing: Showing,
        most_open: int = 10,
    ) -> None:
        """`days` until an undecided one expires, where the policy leaves it open. `wording` is
        given where a model is connected. `most_open` wait for a decision in one place at a time,
        the rest in the queue."""
        self._proposals, self._release = proposals, release
        self._book, self._approvals, self._asking = book, approvals, asking
        self._showing, self._brake, self._trying = showing, brake, trying
        self._deciding = Deciding(
            proposals, release, approvals, book, showing, clock, brake, trying
        )
        self.pressing = Pressing(approvals, self._deciding)
        self._clock, self._ids, self._days = clock, ids, days
        self._wording, self._queue = wording, Queue(proposals, most_open)

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
        fresh = await self._fresh(draft, run.workspace, source_run, (run.id,), person.id)
        fresh = _ranked(fresh, ranking.of_words(fresh.kind, fresh.risk), place)
        while True:
            kept, new = await self._proposals.add(fresh)
            undone = kept.status in (_S.ROLLED_BACK, _S.SUPERSEDED)
            if new or kept.id == source_run or not undone:
                return await self._offer(kept, place)
            fresh = replace(fresh, fingerprint=drafting.again(kept))

    async def from_runbook(
        self, run: Run, runbook: Workflow, person: Person, source_run: str, place: str = ""
    ) -> Proposal | None:
        """Offers a saved runbook to the agent that did the run, to follow by itself; None where
        that one is gone. Raises BadInput for a text that gives orders to agents."""
        agent = await self._release.current(run.workspace, run.agent) if run.agent else None
        if agent is None:
            return None
        if lint.suspicious(runbook.markdown):
            raise BadInput(
                f"runbook {runbook.name} gives orders",
                said=f"It is not proposed to {agent.name} to follow by itself: something in it "
                "reads like an order to the bot about what it may do.",
            )
        draft = learning.runbook(
            agent_name=agent.name,
            version=agent.version,
            name=runbook.name,
            text=runbook.markdown,
            expected=f"{agent.name} follows these steps by itself where a request is like the one "
            f"of run {run.short}.",
        )
        fresh = await self._fresh(draft, run.workspace, source_run, (run.id,), person.id)
        fresh = _ranked(fresh, ranking.of_words(fresh.kind, fresh.risk), place)
        kept, _ = await self._proposals.add(fresh)
        return await self._offer(kept, place)

    async def from_finding(self, finding: Finding, run_id: str = "") -> Proposal | None:
        """Drafts what a finding asks for and offers it, or has it wait for its turn; None if that
        is nothing, or if it was proposed before. What was declined, has expired or was rolled back
        is proposed again on twice the evidence only. `run_id` is the job's run, which pays for
        the wording."""
        crew = await self._release.roster(finding.workspace)
        draft = synthesis.draft(finding, crew)
        if draft is None:
            return None
        if self._wording and run_id:
            draft = await self._wording.reword(draft, finding, crew, run_id)
        id = self._ids.run_id()
        fresh = await self._fresh(draft, finding.workspace, id, finding.evidence, "")
        estimate = ranking.of_finding(finding, fresh.kind, fresh.risk)
        fresh = _ranked(replace(fresh, finding=finding.id), estimate)
        while True:
            kept, new = await self._proposals.add(fresh)
            if new or kept.status in (_S.DRAFTED, _S.OFFERED):
                kept = await self._offer(kept)
                return kept if new else None
            once_more = ranking.worth_another_look(kept, finding.count)
            if kept.status is not _S.SUPERSEDED and not once_more:
                return None
            fresh = replace(fresh, fingerprint=drafting.again(kept))

    async def approve(
        self, workspace: str, ref: str, person: Person, revision: int = 0, run: str = ""
    ) -> Proposal:
        """Deploys the change, or notes the approval where it takes another. `revision` is that of
        the words that were seen, `run` that of the command that said it. Raises NotFound,
        Forbidden, Edited, or Conflict (who and when)."""
        proposal = await self._showing.find(workspace, ref)
        need = await self._approvals.need(proposal)
        must_have_role(proposal, person, need)
        begun = proposal.status in (_S.APPROVED, _S.TRIALLED)
        if begun and await self._deciding.took_part(proposal, person, need):
            return await self._deciding.applied(proposal)
        proposal = await self._deciding.must_be_open(proposal)
        if revision != proposal.revision and proposal.edited_by != person.id:
            raise await self._showing.edited(proposal)
        await self._approvals.must_be_allowed(proposal, person, need)
        await self._deciding.must_fit(proposal)
        if not await self._approvals.add(proposal, person, need):
            await self._showing.show(proposal)
            return proposal
        return await self._deciding.applied(
            await self._deciding.decide(proposal, _S.APPROVED, person.id, run=run)
        )

    async def decline(
        self, workspace: str, ref: str, person: Person, reason: str, revision: int | None = None
    ) -> Proposal:
        """Keeps it with the reason; it is not proposed again. Raises as `approve` does."""
        proposal = await self._showing.find(workspace, ref)
        if not person.role.may(Role.APPROVER):
            raise forbidden(proposal, person, "declined", Role.APPROVER)
        if not decided_as(proposal, _S.DECLINED, person.id):
            proposal = await self._deciding.must_be_open(proposal)
            if revision not in (None, proposal.revision):
                raise await self._showing.edited(proposal)
            proposal = await self._deciding.decide(proposal, _S.DECLINED, person.id, reason)
        await self._showing.show(proposal)
        return proposal

    async def edit(
        self, workspace: str, ref: str, person: Person, text: str, revision: int | None = None
    ) -> Proposal:
        """Changes what it would do while it is offered; approvals given so far are void. Raises
        as `approve` does, and BadInput."""
        proposal = await self._showing.find(workspace, ref)
        if not person.role.may(Role.APPROVER):
            raise forbidden(proposal, person, "edited", Role.APPROVER)
        proposal = await self._deciding.must_be_open(proposal)
        name = proposal.change.agent
        agent = await self._release.current(workspace, name) if name else None
        draft = rewording.reworded(proposal, text, agent)
        if draft is None and not proposal.words:
            said = f"{ref} is no matter of words. Approve or decline it as it is."
            raise BadInput(f"{ref} has no words", said=said)
        if draft is None:
            raise BadInput("no words", said=f"Say what {ref} should say instead: /edit {ref} words")
        if draft.change != proposal.change:
            if revision not in (None, proposal.revision):
                raise await self._showing.edited(proposal)
            edited = _with(proposal, draft, person.id, self._clock.now())
            edited = replace(edited, risk=await self._approvals.risk(edited))
            proposal = await self._proposals.amend(workspace, edited)
        await self._showing.show(proposal)
        return proposal

    async def rollback(
        self, workspace: str, ref: str, person: Person, reason: str = ""
    ) -> Proposal:
        """Undoes an approved change. Raises as `approve` does."""
        proposal = await self._showing.find(workspace, ref)
        needed = Role.APPROVER if proposal.risk == Role.APPROVER else Role.OWNER
        if not person.role.may(needed):
            raise forbidden(proposal, person, "rolled back", needed)
        if not decided_as(proposal, _S.ROLLED_BACK, person.id):
            if proposal.status not in IN_USE:
                raise await self._showing.taken(proposal)
            proposal = await self._begun(proposal)
            said = await self._taken_back(proposal, person.id, reason)
            reason = telling.with_reason(said, reason)
            # Undone first, recorded second: whoever is cut off in between undoes it once more.
            proposal = await self._deciding.decide(proposal, _S.ROLLED_BACK, person.id, reason)
        await self._showing.show(proposal)
        return proposal

    async def roll_back_on_harm(self, workspace: str, ref: str, reason: str) -> Proposal | None:
        """Undoes what does harm, as the policy's act, whoever approved it; None where nothing of
        it is in use: what is on trial is its trial's to judge. Raises Conflict while the loop is
        frozen or what it changed is protected."""
        proposal = await self._showing.find(workspace, ref)
        if not decided_as(proposal, _S.ROLLED_BACK, POLICY):
            if proposal.status not in (_S.APPROVED, _S.KEPT) or proposal.applied is None:
                return None
            await self._brake.must_be_free(workspace, touched(proposal))
            said = await self._release.undo(proposal)
            reason = telling.with_reason(said, reason)
            proposal = await self._deciding.decide(proposal, _S.ROLLED_BACK, POLICY, reason)
        await self._showing.show(proposal)
        return proposal

    async def _begun(self, proposal: Proposal) -> Proposal:
        """What a crash cut off is done first, so that there is one thing to undo; what can't be
        done any more was never in use."""
        try:
            return await self._deciding.applied(proposal)
        except (Conflict, NotFound) as error:
            log.info("never_applied", proposal=proposal.ref, cause=str(error))
            return proposal

    async def _taken_back(self, proposal: Proposal, by: str, reason: str) -> str:
        """What stands then, in words."""
        if proposal.status is _S.TRIALLED:
            return await self._trying.end_by_hand(proposal, by, reason)
        if proposal.applied is None:
            return "It was not in use yet."
        await self._brake.must_be_unprotected(proposal.workspace, touched(proposal))
        return await self._release.undo(proposal)

    async def expire(self, workspace: str) -> int:
        """Ends offers whose time is over, as the policy says; returns how many."""
        due = await self._proposals.due(workspace, self._clock.now())
        return sum([await self._deciding.expired(proposal) is not None for proposal in due])

    async def follow_up(self, workspace: str) -> tuple[int, int]:
        """Asks the next ones about what nobody has decided, and reminds; how many of each."""
        asked = reminded = 0
        for proposal in await self._proposals.list(workspace, [_S.OFFERED], _MOST_OPEN):
            try:
                asked += await self._asking.go_on(proposal, await self._showing.card(proposal))
                reminded += await self._asking.remind(proposal)
            except RatchetError as error:
                log.warning("not_asked", proposal=proposal.ref, cause=str(error))
        return asked, reminded

    async def settle(self, workspace: str) -> int:
        """Finishes what a crash or /freeze cut off: approved ones are applied, or end where they
        can't be any more. Of those that wait the best are offered, as far as there is room."""
        drafted = await self._queue.next(workspace)
        approved = await self._proposals.unapplied(workspace)
        for proposal in drafted:
            if await self._deciding.still_fits(proposal):
                await self._offer(proposal)
        for proposal in approved:
            try:
                await self._deciding.finished(proposal)
            except RatchetError as error:
                log.error("proposal_not_applied", proposal=proposal.ref, cause=str(error))
        return len(drafted) + len(approved)

    async def card(self, proposal: Proposal) -> Reply:
        """The proposal as it stands."""
        return await self._showing.card(proposal)

    async def show(self, proposal: Proposal) -> None:
        """Brings every card there is of it up to date."""
        await self._showing.show(proposal)

    async def _fresh(
        self, draft: Draft, workspace: str, id: str, evidence: tuple[str, ...], by: str
    ) -> Proposal:
        fresh = Proposal(
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
            created_at=self._clock.now(),
            expires_at=await self._until(workspace),
            created_by=by,
        )
        return replace(fresh, risk=await self._approvals.risk(fresh))

    async def _until(self, workspace: str) -> int:
        """When what is offered now expires."""
        policy = await self._book.current(workspace)
        return self._clock.now() + (policy.expire_after or self._days * _DAY)

    async def _offer(self, proposal: Proposal, place: str = "") -> Proposal:
        drafted = proposal.status is _S.DRAFTED
        if drafted:
            nobody = (await self._approvals.need(proposal)).people == 0
            if not nobody and not await self._queue.has_room(proposal):
                return proposal
            until = await self._until(proposal.workspace)
            try:
                proposal = await self._proposals.move(
                    proposal.workspace, proposal, _S.OFFERED, expires_at=until
                )
            except Conflict:
                proposal, drafted = (
                    await self._showing.find(proposal.workspace, proposal.ref),
                    False,
                )
        # Only what is new: a policy that is set later decides nothing that people look at.
        if drafted and (await self._approvals.need(proposal)).people == 0:
            proposal = await self._deciding.applied(
                await self._deciding.decide(proposal, _S.APPROVED, POLICY)
            )
            await self._asking.begin(proposal, await self._showing.card(proposal), place)
        if proposal.status is _S.OFFERED:
            await self._asking.begin(proposal, await self._showing.card(proposal), place)
        return proposal


def _ranked(proposal: Proposal, estimate: ranking.Estimate, place: str = "") -> Proposal:
    made = {**estimate.as_json(), **({"place": place} if place else {})}
    return replace(proposal, rank=estimate.rank, estimate=made)


def _with(proposal: Proposal, draft: Draft, by: str, at: int) -> Proposal:
    edited = replace(
        proposal,
        revision=proposal.revision + 1,
        edited_by=by,
        kind=draft.kind,
        change=draft.change,
        title=draft.title,
        diff=draft.diff,
        expected=draft.expected,
        risk=draft.risk,
        fingerprint=draft.fingerprint,
        base_version=draft.base_version,
    )
    edit = {"by": by, "at": at, "was": proposal.words, "now": edited.words}
    return replace(edited, was=(*proposal.was[-_KEPT_EDITS:], edit))
