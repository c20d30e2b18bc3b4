"""A run's outcome from all that is known of it by now: ratings, checks, the next message, the judge."""

from collections.abc import Sequence

from bot.improve.judging import Judging
from bot.improve.outcome import Done, checked, outcome_of
from bot.model.run import GUARDED, Outcome, Run, RunKind, RunStatus, Step, StepKind
from bot.ports.clock import Clock
from bot.ports.stores import Feedbacks, Judgements, Runs, Workflows

_LOOKED_BACK = 200


class Scoring:
    def __init__(
        self,
        runs: Runs,
        feedback: Feedbacks,
        workflows: Workflows,
        judgements: Judgements,
        judging: Judging,
        clock: Clock,
    ) -> None:
        self._runs, self._feedback, self._workflows = runs, feedback, workflows
        self._judgements, self._judging, self._clock = judgements, judging, clock

    async def score(self, run: Run, following: Run | None = None) -> bool:
        """Writes it down where it has changed; says whether it had. What was overruled before (a check
        by a rating that was taken back) is read from the log again."""
        return bool(await self.score_all(run.workspace, [(run, following)]))

    async def score_all(self, workspace: str, runs: Sequence[tuple[Run, Run | None]]) -> int:
        """The same for many of one workspace, each with the one that followed; how many had."""
        feedback = await self._feedback.of_runs(workspace, [run.id for run, _ in runs])
        changed: dict[str, Outcome] = {}
        for run, following in runs:
            outcome = outcome_of(run, feedback.get(run.id, ()), following)
            if outcome.y is None and run.outcome.y is not None:
                outcome = await self._again(run)
            if outcome != run.outcome:
                changed[run.id] = outcome
        await self._runs.set_outcomes(workspace, changed, self._clock.now())
        return len(changed)

    async def _again(self, run: Run) -> Outcome:
        """As if nobody had ever rated it."""
        if run.status is RunStatus.SUCCEEDED:
            steps = await self._runs.steps(run.workspace, run.id)
            made = [s for s in steps if s.kind is StepKind.TOOL]
            error = next((s.error_type for s in reversed(made) if s.error_type != GUARDED), "")
            runbooks = await self._followed(run, steps)
            found = checked(run.answer, Done({s.name for s in made}, error, runbooks))
            if found.y is not None:
                return found
        return outcome_of(run, (), await self._next(run), await self._judged(run))

    async def _followed(self, run: Run, steps: Sequence[Step]) -> list[str]:
        texts = []
        for step in steps:
            if step.kind is StepKind.RUNBOOK:
                name, _, number = step.name.partition("@")
                version = int(number) if number.isdigit() else 0
                runbook = await self._workflows.get(run.workspace, name, version)
                texts += [runbook.markdown] if runbook else []
        return texts

    async def _next(self, run: Run) -> Run | None:
        """The same person's next request in the conversation."""
        recent = await self._runs.recent(
            run.workspace,
            conversation=run.conversation,
            kinds=[RunKind.REQUEST.value],
            limit=_LOOKED_BACK,
        )
        later = [other for other in recent if other.id > run.id and other.person == run.person]
        return later[-1] if later else None

    async def _judged(self, run: Run) -> float | None:
        """A trusted judge's grade, where there is one."""
        judge = await self._judging.for_trials(run.workspace)
        if judge is None:
            return None
        found = await self._judgements.of_runs(run.workspace, [run.id])
        return next((one.y for one in found if one.judge == judge.name), None)
