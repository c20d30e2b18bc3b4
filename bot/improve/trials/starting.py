"""From an approved proposal to a trial that runs; each step is safe to do again."""

from collections.abc import Sequence
from dataclasses import replace

import structlog

from bot.errors import Conflict, NotFound
from bot.improve.brake import Brake
from bot.improve.release import Release
from bot.improve.rights import Rights
from bot.improve.trials.caps import caps
from bot.improve.trials.telling import WIDER
from bot.improve.verdicts.strict import LONGEST_MS, SMOKE_SHARE
from bot.model.proposal import Proposal, ProposalKind, ProposalStatus
from bot.model.trial import ACTIVE, GONE, Trial, TrialStatus
from bot.model.words import one_line
from bot.ports.clock import Clock, Ids
from bot.ports.stores import Evidence, Proposals, Runs, Trials

log = structlog.get_logger()

_S = TrialStatus
_MOST = 200
_MARGIN = 0.05
"""What success a cheaper model may cost, at most, and still be kept."""


class Starting:
    def __init__(
        self,
        trials: Trials,
        proposals: Proposals,
        evidence: Evidence,
        runs: Runs,
        release: Release,
        rights: Rights,
        brake: Brake,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._trials, self._proposals, self._evidence = trials, proposals, evidence
        self._runs, self._release, self._rights, self._brake = runs, release, rights, brake
        self._clock, self._ids = clock, ids

    async def queue(self, proposal: Proposal, mode: str) -> Proposal:
        """Its versions made, its trial waiting, itself trialled. Raises NotFound or Conflict where
        it can't be done any more."""
        prepared = await self._release.candidate(proposal)
        trial, _ = await self._trials.add(
            Trial(
                id=self._ids.run_id(),
                workspace=proposal.workspace,
                number=0,
                proposal=proposal.ref,
                title=one_line(proposal.title, 200),
                overlay=dict(prepared.overlay),
                base=dict(prepared.base),
                status=_S.QUEUED,
                mode=mode,
                created_at=self._clock.now(),
                share=SMOKE_SHARE,
                margin=_MARGIN if proposal.kind is ProposalKind.MODEL_CHEAPER else 0.0,
                home=await self._home(proposal),
            )
        )
        return await self._proposals.move(
            proposal.workspace, proposal, ProposalStatus.TRIALLED, applied={"trial": trial.ref}
        )

    async def start(self, workspace: str) -> Sequence[Trial]:
        """Starts those that wait and whose agents no other trial has, best first."""
        waiting = await self._trials.list(workspace, [_S.QUEUED], _MOST)
        if not waiting or await self._brake.frozen(workspace):
            return []
        taken = {*await self._taken(workspace), *await self._brake.paused(workspace)}
        started: list[Trial] = []
        for trial, proposal in await self._ranked(waiting):
            if trial.agents & taken:
                continue
            if begun := await self._begin(trial, proposal):
                taken |= begun.agents
                started.append(begun)
        return started

    async def _taken(self, workspace: str) -> set[str]:
        """The agents of trials that go on, and of those whose version is about to be put into use:
        what began on the version before would be stopped by that at once."""
        trialled = await self._proposals.list(workspace, [ProposalStatus.TRIALLED], _MOST)
        refs = {proposal.ref for proposal in trialled}
        active = await self._trials.list(workspace, ACTIVE, _MOST)
        kept = await self._trials.list(workspace, [_S.KEPT], _MOST)
        held = [*active, *(trial for trial in kept if trial.proposal in refs)]
        return {name for trial in held for name in trial.agents}

    async def _ranked(self, waiting: Sequence[Trial]) -> list[tuple[Trial, Proposal]]:
        found = [(t, await self._proposals.get(t.workspace, t.proposal)) for t in waiting]
        known = [(trial, proposal) for trial, proposal in found if proposal]
        return sorted(known, key=lambda pair: (-pair[1].rank, pair[0].number))

    async def _begin(self, trial: Trial, proposal: Proposal) -> Trial | None:
        """None where another was first, or where the change can't be made any more."""
        now = self._clock.now()
        if await self._brake.protected(trial.workspace, trial.agents):
            return await self._moved(replace(trial, ended_at=now, reason="protected"), _S.STOPPED)
        try:
            # Made anew: what is in use may have changed while it waited.
            prepared = await self._release.candidate(proposal)
        except (Conflict, NotFound) as error:
            log.info("trial_not_started", trial=trial.ref, cause=str(error))
            return await self._moved(replace(trial, ended_at=now, reason="gone"), _S.STOPPED)
        more = await self._rights.grown(trial.workspace, trial.overlay, prepared.overlay)
        if more:
            said = {"wider": [one_line(one, 200) for one in more]}
            wider = replace(trial, ended_at=now, reason=WIDER, numbers=said)
            return await self._moved(wider, _S.STOPPED)
        beside = {name for name, version in prepared.base.items() if version != GONE}
        return await self._moved(
            replace(
                trial,
                overlay=dict(prepared.overlay),
                base=dict(prepared.base),
                caps=await caps(self._evidence, trial.workspace, beside),
                started_at=now,
                ends_at=now + LONGEST_MS,
                looked_at=now,
            ),
            _S.RUNNING,
        )

    async def _moved(self, trial: Trial, to: TrialStatus) -> Trial | None:
        try:
            moved = await self._trials.move(trial, to)
        except Conflict as error:
            log.info("trial_moved_elsewhere", trial=trial.ref, cause=str(error))
            return None
        return moved if moved.status is _S.RUNNING else None

    async def _home(self, proposal: Proposal) -> str:
        """The conversation that asked for it: that of the answer that somebody wanted better, or
        else the one where it was approved."""
        asked = proposal.evidence[:1] if proposal.created_by else ()
        for run_id in (*asked, proposal.decided_run):
            run = await self._runs.get(proposal.workspace, run_id) if run_id else None
            if run:
                return run.conversation
        return ""
