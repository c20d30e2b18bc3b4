"""With a model connected: a finding's draft in better words. Without, the plain ones stay."""

import structlog

from bot.budget import Purse
from bot.errors import ModelError, RatchetError
from bot.improve.drafting import Draft
from bot.improve.synthesis import Crew, writing
from bot.improve.synthesis.writing import Form
from bot.model.agent import AgentVersion
from bot.model.chat import ModelRequest
from bot.model.finding import Finding
from bot.model.run import Run, Step, StepKind, Usage
from bot.ports.clock import Clock
from bot.ports.models import Model
from bot.ports.stores import Journal, Runs, Spend
from bot.redaction import Redactor

log = structlog.get_logger()

_MOST_TOKENS = 900


class Wording:
    """Every call is asked of the budgets first and recorded, with its cost, in the job's run."""

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

    async def reword(self, draft: Draft, finding: Finding, crew: Crew, run_id: str) -> Draft:
        """The same change in the model's words, once they have been looked at; as it was where
        the model, the budget or the log can't, where the answer is broken, and where it says what
        it may not. Its fingerprint stays: what was declined is known whatever its wording."""
        form, agent = writing.form_of(draft), crew.get(finding.agent)
        if form is None or agent is None:
            return draft
        try:
            run = await self._runs.get(finding.workspace, run_id)
            said = await self._said(run, finding, draft, form, agent) if run else ""
        except RatchetError as error:
            log.warning("draft_not_worded", finding=finding.id, cause=str(error))
            return draft
        answer = writing.read(form, said)
        if answer is None:
            return draft
        made, verdict = writing.rewritten(draft, answer, finding, agent, crew, self._redactor.text)
        log.info("draft_linted", finding=finding.id, verdict=str(verdict))
        return made or draft

    async def _said(
        self, run: Run, finding: Finding, draft: Draft, form: Form, agent: AgentVersion
    ) -> str:
        name = f"word:{finding.fingerprint[:16]}"
        steps = await self._runs.steps(run.workspace, run.id)
        for step in steps:
            if step.name == name and isinstance(step.output, str):
                return step.output
        request = _request(self._model.default, finding, draft, form, agent)
        started, begun = self._clock.now(), self._clock.monotonic()
        said, usage, error = "", Usage(), None
        hold = await self._purse.hold(
            run.workspace,
            run_id=run.id,
            agent=agent.name,
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
            input={"model": request.model, "finding": finding.id},
            output=said or None,
            usage=usage,
            error_type=error.kind if error else "",
            error_message=self._redactor.text(str(error)) if error else "",
        )
        await self._record(run, step, agent)
        return said

    async def _record(self, run: Run, step: Step, agent: AgentVersion) -> None:
        keys = (("agent", agent.name), ("workspace", ""))
        cost = step.usage.cost_usd
        spend = [Spend(run.workspace, keys, step.started_at, cost)] if cost else []
        await self._journal.steps(run, [step], spend)


def _request(
    model: str, finding: Finding, draft: Draft, form: Form, agent: AgentVersion
) -> ModelRequest:
    messages = (
        {"role": "system", "content": writing.order(form)},
        {"role": "user", "content": writing.shown(finding, draft, agent)},
    )
    return ModelRequest(model=model, messages=messages, temperature=0.2, max_tokens=_MOST_TOKENS)
