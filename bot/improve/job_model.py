"""A model, as a job asks it: the budgets first, then the log, and nothing is paid for twice."""

from bot.budget import Purse
from bot.errors import ModelError
from bot.model.chat import ModelRequest
from bot.model.run import Run, Step, StepKind, Usage
from bot.ports.clock import Clock
from bot.ports.models import Model
from bot.ports.stores import Journal, Runs, Spend
from bot.redaction import Redactor


class JobModel:
    """Every call is a step of the job's run, with its cost."""

    def __init__(
        self,
        model: Model,
        purse: Purse,
        journal: Journal,
        runs: Runs,
        clock: Clock,
        redactor: Redactor,
    ) -> None:
        self._model, self._purse, self._journal, self._runs = model, purse, journal, runs
        self._clock, self._redactor = clock, redactor

    @property
    def default(self) -> str:
        return self._model.default

    async def ask(self, run: Run, name: str, request: ModelRequest, agent: str, about: str) -> str:
        """What the model says, from the log if a step of this name has it already; "" where the
        model failed. Raises OverBudget, StorageError."""
        steps = await self._runs.steps(run.workspace, run.id)
        for step in steps:
            if step.name == name and isinstance(step.output, str):
                return step.output
        started, begun = self._clock.now(), self._clock.monotonic()
        said, usage, error = "", Usage(), None
        hold = await self._purse.hold(
            run.workspace,
            run_id=run.id,
            agent=agent,
            person="",
            spent=sum((step.usage for step in steps), Usage()),
            most=self._model.estimate(request),
        )
        try:
            reply = await self._model.complete(request)
            said, usage = self._redactor.text(reply.text), reply.usage
        except ModelError as failed:
            error, usage = failed, failed.usage
        finally:
            self._purse.release(hold, usage)
        step = Step(
            seq=max((s.seq for s in steps), default=-1) + 1,
            kind=StepKind.MODEL,
            name=name,
            started_at=started,
            duration_ms=round((self._clock.monotonic() - begun) * 1000, 3),
            input={"model": request.model, "finding": about},
            output=said or None,
            usage=usage,
            error_type=error.kind if error else "",
            error_message=self._redactor.text(str(error)) if error else "",
        )
        await self._record(run, step, agent)
        return said

    def clean(self, text: str) -> str:
        """The text without secrets."""
        return self._redactor.text(text)

    async def _record(self, run: Run, step: Step, agent: str) -> None:
        keys = (("agent", agent), ("workspace", ""))
        cost = step.usage.cost_usd
        spend = [Spend(run.workspace, keys, step.started_at, cost)] if cost else []
        await self._journal.steps(run, [step], spend)
