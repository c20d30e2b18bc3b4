"""Grades a share of the answers, so that those nobody rated are not all silent: recorded and paid."""

from collections.abc import Sequence
from dataclasses import replace

import structlog

from bot.budget import label
from bot.errors import ModelError, OverBudget
from bot.events import Events
from bot.improve.judge import AskModel, Judge, chosen
from bot.improve.judging import Judging
from bot.improve.outcome import JUDGE
from bot.model.budget import Period, Scope
from bot.model.message import Turn
from bot.model.run import Outcome, Run, RunStatus
from bot.ports.clock import Clock
from bot.ports.stores import (
    Budgets,
    Closed,
    Evidence,
    Journal,
    Judgement,
    Judgements,
    Runs,
    State,
    States,
)
from bot.recorder import RunLog
from bot.redaction import Redactor

log = structlog.get_logger()

PAYER = "(judge)"
"""What grading is booked under, beside the agents: no agent can be called so."""

_NAME = "judge"
_GRACE_MS = 10 * 60_000
"""People come first: an answer is graded once they have had so long to say something."""
_PAGE = 200
_MOST = 40  # grades a turn
_END = "~"  # after every id


class Grading:
    """`usd_a_day` is what it may cost, beside every other budget."""

    def __init__(
        self,
        judging: Judging,
        ask: AskModel,
        journal: Journal,
        runs: Runs,
        evidence: Evidence,
        judgements: Judgements,
        states: States,
        budgets: Budgets,
        clock: Clock,
        events: Events,
        redactor: Redactor,
        share: float,
        usd_a_day: float,
    ) -> None:
        self.judging, self._ask, self._journal, self._runs = judging, ask, journal, runs
        self._evidence, self._judgements, self._states = evidence, judgements, states
        self._budgets, self._clock, self._events = budgets, clock, events
        self._redactor, self._share, self._usd_a_day = redactor, share, usd_a_day

    async def work(self, workspace: str, run_id: str) -> tuple[int, str]:
        """How many were graded, and what kept it from more, if anything did. `run_id` is the job's
        run, whose steps the grades are."""
        judge, job = self.judging.judge, await self._runs.get(workspace, run_id)
        if judge is None or job is None:
            return 0, "no judge is set"
        before = await self._states.get(workspace, _NAME)
        now = self._clock.now()
        young = (now - _GRACE_MS, now + _GRACE_MS)
        closed, _ = await self._evidence.closed(
            workspace, Closed, before.watermark, _END, young, _PAGE
        )
        steps = await self._runs.steps(workspace, run_id)
        runlog = RunLog(
            replace(job, agent=PAYER),
            self._journal,
            self._clock,
            self._events,
            self._redactor,
            steps,
        )
        try:
            graded, last, why = await self._each(judge, runlog, closed)
        finally:
            await runlog.flush()
        if last:
            after = State(last, {"judge": judge.name})
            await self._states.move(workspace, _NAME, before, after, self._clock.now())
        return graded, why

    async def _each(
        self, judge: Judge, runlog: RunLog, closed: Sequence[Closed]
    ) -> tuple[int, str, str]:
        """How many were graded, the last run that is done with, and what stopped it."""
        workspace, last, graded = runlog.run.workspace, "", 0
        trusted = await self.judging.for_trials(workspace) is not None
        known = {
            j.run_id
            for j in await self._judgements.of_runs(workspace, [run.id for run in closed])
            if j.judge == judge.name
        }
        for run in closed:
            if _fits(run, self._share) and run.id not in known:
                if graded == _MOST:
                    return graded, last, ""
                try:
                    await self._must_have_money(workspace)
                    graded += await self._one(judge, runlog, run.id, trusted)
                except OverBudget as error:
                    return graded, last, error.said
                except ModelError as error:
                    # A server that is down is waited for; what it refuses for good is let be.
                    if error.retry:
                        return graded, last, str(error)
                    log.info("not_graded", run_id=run.id, cause=str(error))
            last = run.id
        return graded, last, ""

    async def _one(self, judge: Judge, runlog: RunLog, run_id: str, trusted: bool) -> bool:
        workspace = runlog.run.workspace
        run = await self._runs.get(workspace, run_id)
        if run is None or not (run.message and run.answer):
            return False
        history = await self._before(run)
        grade = await judge.grade(self._ask, runlog, run.id, run.message, run.answer, history)
        if grade is None:
            return False
        now = self._clock.now()
        judged = Judgement(run.id, judge.name, grade.y, self._redactor.text(grade.reason), now)
        await self._judgements.put(workspace, judged)
        if trusted and await self._silent(run):
            await self._runs.set_outcome(workspace, run.id, Outcome(grade.y, JUDGE), now)
        return True

    async def _silent(self, run: Run) -> bool:
        """Whether nobody has spoken of it yet: someone may have while the judge was at it."""
        now = await self._runs.get(run.workspace, run.id)
        return now is not None and now.outcome.y is None

    async def _before(self, run: Run) -> Sequence[Turn]:
        if run.history or run.single:
            return run.history
        found = await self._runs.history(run.workspace, run.conversation, 2, run.id)
        pairs: list[list[Turn]] = [[("user", r.message), ("assistant", r.answer)] for r in found]
        return [turn for pair in pairs for turn in pair]

    async def _must_have_money(self, workspace: str) -> None:
        """Raises OverBudget once the day's grading has cost what it may."""
        key = (Scope.AGENT.value, PAYER, label(Period.DAY, self._clock.now()))
        spent = (await self._budgets.spent(workspace, [key])).get(key, 0.0)
        if spent >= self._usd_a_day:
            said = "The day's budget for grading (RATCHET_JUDGE_BUDGET) is spent."
            raise OverBudget(f"grading: {spent:.6f} of {self._usd_a_day}", said=said)


def _fits(run: Closed, share: float) -> bool:
    return run.status == RunStatus.SUCCEEDED.value and chosen(run.id, share, run.trial)
