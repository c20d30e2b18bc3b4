"""What the end of a trial comes to: the version that stays, the proposal's status, the verdict."""

from collections.abc import Mapping
from dataclasses import replace

import structlog

from bot.errors import Conflict, NotFound
from bot.improve.brake import Brake
from bot.improve.preparing import Prepared
from bot.improve.release import Release
from bot.improve.showing import Showing
from bot.improve.trials import telling
from bot.model.message import Reply
from bot.model.proposal import Proposal, ProposalStatus
from bot.model.trial import Trial, TrialStatus
from bot.model.words import one_line
from bot.places import thread_of
from bot.ports.clock import Clock
from bot.ports.post import Post
from bot.ports.stores import Proposals, Runs, Trials

log = structlog.get_logger()

_P, _T = ProposalStatus, TrialStatus
_MOST = 500
_LONGEST_REASON = 500
BY_TRIAL = "trial"
"""Who decided, where a trial did."""
_BECOMES = {_T.KEPT: _P.KEPT, _T.ROLLED_BACK: _P.ROLLED_BACK, _T.STOPPED: _P.SUPERSEDED}


class Ending:
    """A trial's row says what was decided; this makes it so, and again without harm after a crash:
    the version is put into use, the verdict is posted under a key, and last the proposal moves."""

    def __init__(
        self,
        trials: Trials,
        proposals: Proposals,
        runs: Runs,
        release: Release,
        brake: Brake,
        showing: Showing,
        post: Post,
        clock: Clock,
    ) -> None:
        self._trials, self._proposals, self._runs = trials, proposals, runs
        self._release, self._brake, self._showing = release, brake, showing
        self._post, self._clock = post, clock

    async def finish(self, workspace: str) -> int:
        """Every trial that ended and isn't told of; how many there were."""
        ended = 0
        for proposal in await self._proposals.list(workspace, [_P.TRIALLED], _MOST):
            trial = await self._trials.of_proposal(workspace, proposal.ref)
            if trial and trial.status in _BECOMES:
                ended += await self._finish(trial, proposal)
        return ended

    async def _finish(self, trial: Trial, proposal: Proposal) -> bool:
        applied: Mapping[str, object] | None = None
        if trial.status is _T.KEPT:
            if await self._brake.frozen(trial.workspace):
                return False  # it is put into use once that is over
            try:
                applied = await self._put_into_use(trial, proposal)
            except (Conflict, NotFound) as error:
                # Changed between the last look and now: what was tried isn't what it would become.
                log.warning("trial_not_installed", trial=trial.ref, cause=str(error))
                held = await self._brake.protected(trial.workspace, trial.agents)
                trial = replace(trial, status=_T.STOPPED, reason="protected" if held else "edited")
        by, reason = _said(trial)
        after = replace(
            proposal,
            status=_BECOMES[trial.status],
            decided_by=proposal.decided_by if applied else by,
            decided_at=self._clock.now(),
            reason=reason,
            applied=applied or proposal.applied,
        )
        if trial.reason != telling.BY_HAND:
            await self._tell(proposal, telling.verdict(trial, after))
        await self._showing.show(after)
        await self._record(proposal, after)
        return True

    async def _put_into_use(self, trial: Trial, proposal: Proposal) -> Mapping[str, object]:
        """Raises NotFound or Conflict where it can't be, or may not."""
        if not await self._release.stands(proposal):
            await self._brake.must_be_unprotected(trial.workspace, trial.agents)
            await self._release.install(trial.workspace, trial.overlay, trial.base)
        made = await self._release.applied(proposal, Prepared(trial.overlay, trial.base))
        return {**made, "trial": trial.ref}

    async def _record(self, proposal: Proposal, after: Proposal) -> None:
        try:
            await self._proposals.move(
                proposal.workspace,
                proposal,
                after.status,
                by=after.decided_by,
                at=after.decided_at,
                reason=after.reason,
                applied=after.applied,
            )
        except Conflict as error:
            log.info("proposal_moved_elsewhere", proposal=proposal.ref, cause=str(error))
            now = await self._showing.find(proposal.workspace, proposal.ref)
            await self._showing.show(now)

    async def _tell(self, proposal: Proposal, said: Reply) -> None:
        """In the thread where it was approved, or else where warnings go; and to whoever watches."""
        key, run = f"verdict:{proposal.id}", None
        if proposal.decided_run:
            run = await self._runs.get(proposal.workspace, proposal.decided_run)
        thread = thread_of(run.channel, run.address) if run else None
        if (
            run
            and thread
            and await self._post.to_place(proposal.workspace, run.channel, thread, said, key=key)
        ):
            self._post.to_watchers(proposal.workspace, said, key=key)
        else:
            await self._post.to_admins(proposal.workspace, said, key=key)


def _said(trial: Trial) -> tuple[str, str]:
    """Who ended it, and in which words: of one that a person ended as they would have been told,
    had they not been cut off."""
    by = trial.numbers.get("by")
    if trial.reason != telling.BY_HAND or not isinstance(by, str):
        return BY_TRIAL, telling.in_short(trial)
    why = str(trial.numbers.get("why", ""))
    return by, one_line(telling.with_reason(telling.taken_back(trial), why), _LONGEST_REASON)
