"""A look at each trial under way: it pauses, goes on, or ends."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import structlog

from bot.errors import Conflict
from bot.improve.brake import Brake
from bot.improve.judging import Judging
from bot.improve.outcome import JUDGE, unjudged
from bot.improve.rules import Look, Rule, Verdict
from bot.improve.trials.believing import Believing
from bot.model.proposal import Proposal, ProposalKind
from bot.model.trial import ACTIVE, GONE, Observed, Replayed, Trial, TrialStatus
from bot.ports.clock import Clock
from bot.ports.stores import Agents, Evidence, Proposals, Replays, Trials

log = structlog.get_logger()

_S = TrialStatus
_MOST = 200
LONGEST_GAP_MS = 86_400_000
"""More time between two looks counts as so much: neither a clock that jumps nor a machine that was
off for a month ends a trial by time."""
_ENDS = {Verdict.KEEP: _S.KEPT, Verdict.ROLL_BACK: _S.ROLLED_BACK}


class Following:
    """Moves trials and nothing else: what an end comes to is `Ending`'s."""

    def __init__(
        self,
        trials: Trials,
        proposals: Proposals,
        evidence: Evidence,
        replays: Replays,
        agents: Agents,
        brake: Brake,
        rules: Mapping[str, Rule],
        judging: Judging | None,
        clock: Clock,
    ) -> None:
        self._trials, self._proposals, self._evidence = trials, proposals, evidence
        self._replays, self._agents, self._brake = replays, agents, brake
        self._believing = Believing(trials, replays)
        self._rules, self._judging, self._clock = rules, judging, clock

    async def look(self, workspace: str) -> int:
        """At every active one; how many there were."""
        active = await self._trials.list(workspace, ACTIVE, _MOST)
        for trial in active:
            try:
                await self._look(trial)
            except Conflict as error:
                # Another node, or a person, has moved it: the next look finds it as it is.
                log.info("trial_moved_elsewhere", trial=trial.ref, cause=str(error))
        return len(active)

    async def _look(self, trial: Trial) -> None:
        now = self._clock.now()
        if why := await self._overtaken(trial):
            await self._trials.move(replace(trial, ended_at=now, reason=why), _S.STOPPED)
            return
        rests = await self._rests(trial)
        if trial.status is _S.PAUSED:
            if not rests:
                left = max(0, trial.ends_at - trial.looked_at)
                again = replace(trial, ends_at=now + left, looked_at=now, reason="")
                await self._trials.move(again, _S.RUNNING)
            return
        timed = in_time(trial, now)
        if rests:
            await self._trials.move(replace(timed, reason=rests), _S.PAUSED)
            return
        look = await self._judged(timed, now)
        if look.gives_way and look.verdict is Verdict.GO_ON and await self._waited_for(trial):
            look = replace(look, verdict=Verdict.ROLL_BACK, why="way")
        seen = replace(timed, share=look.share, numbers=look.numbers)
        if look.verdict is Verdict.GO_ON:
            await self._trials.look(seen)
        else:
            ended = replace(seen, ended_at=now, reason=look.why)
            await self._trials.move(ended, _ENDS[look.verdict])

    async def _overtaken(self, trial: Trial) -> str:
        """Why it can't go on: "edited", "protected", or nothing."""
        current = {a.name: a.version for a in await self._agents.current(trial.workspace)}
        if any(current.get(name, GONE) != version for name, version in trial.base.items()):
            return "edited"
        held = await self._brake.protected(trial.workspace, trial.agents)
        return "protected" if held else ""

    async def _rests(self, trial: Trial) -> str:
        """Why nobody is assigned now: "frozen", "paused", or nothing."""
        if await self._brake.frozen(trial.workspace):
            return "frozen"
        return "paused" if trial.agents & set(await self._brake.paused(trial.workspace)) else ""

    async def _waited_for(self, trial: Trial) -> bool:
        """Whether another can't begin because of it."""
        waiting = await self._trials.list(trial.workspace, [_S.QUEUED], _MOST)
        return any(trial.agents & other.agents for other in waiting)

    async def _judged(self, trial: Trial, now: int) -> Look:
        seen = await self._heard(trial)
        proposal = await self._proposals.get(trial.workspace, trial.proposal)
        replay = await self._replayed(proposal) if proposal else None
        rule = self._rules.get(trial.mode) or next(iter(self._rules.values()))
        look = rule.look(trial, seen, replay, now)
        return _unneeded(look, proposal, seen)

    async def _heard(self, trial: Trial) -> Sequence[Observed]:
        """Its runs; what only a judge spoke of is silent unless the judge agrees with people here."""
        seen = await self._evidence.of_trial(trial.workspace, trial.id)
        if not any(one.source == JUDGE for one in seen):
            return seen
        trusted = self._judging and await self._judging.for_trials(trial.workspace)
        return seen if trusted else unjudged(seen)

    async def _replayed(self, proposal: Proposal) -> Replayed | None:
        """What too little was replayed for is no evidence."""
        workspace = proposal.workspace
        kept = await self._replays.of(workspace, proposal.ref, proposal.fingerprint)
        if not (kept and kept.result and kept.result.enough):
            return None
        return await self._believing.believed(workspace, kept.result)


def in_time(trial: Trial, now: int) -> Trial:
    """As it is at this look: what is left of its time is less what has passed since the last one,
    and neither a clock that was set back nor one that jumped ahead changes that."""
    passed = min(max(0, now - trial.looked_at), LONGEST_GAP_MS)
    return replace(trial, ends_at=now + trial.ends_at - trial.looked_at - passed, looked_at=now)


def _unneeded(look: Look, proposal: Proposal | None, seen: Sequence[Observed]) -> Look:
    """Nobody asked for an agent that would be retired, as long as the trial went on: then it may
    go, though nothing could be measured."""
    retires = proposal is not None and proposal.kind is ProposalKind.AGENT_RETIRE
    if retires and not seen and look.verdict is Verdict.ROLL_BACK:
        return replace(look, verdict=Verdict.KEEP, why="unneeded")
    return look
