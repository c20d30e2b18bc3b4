"""With a model connected: a finding's draft in better words. Without, the plain ones stay."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from itertools import count

import structlog

from bot.errors import RatchetError
from bot.improve.drafting import Draft
from bot.improve.job_model import JobModel
from bot.improve.synthesis import Crew, writing
from bot.improve.synthesis.evolving import Case, Evolving
from bot.improve.synthesis.writing import Form, Said
from bot.model.agent import AgentVersion
from bot.model.chat import ModelRequest
from bot.model.finding import Finding
from bot.model.run import Run
from bot.model.words import one_line
from bot.ports.stores import Runs

log = structlog.get_logger()

_MOST_TOKENS, _MOST_CASES = 900, 6


class Wording:
    """`evolving` is there where the settings ask for it."""

    def __init__(self, model: JobModel, runs: Runs, evolving: Evolving | None = None) -> None:
        self._model, self._runs, self._evolving = model, runs, evolving

    async def reword(self, draft: Draft, finding: Finding, crew: Crew, run_id: str) -> Draft:
        """The same change in the model's words, once they have been looked at; as it was where
        the model, the budget or the log can't, where the answer is broken, and where it says what
        it may not. Its fingerprint stays: what was declined is known whatever its wording."""
        form, agent = writing.form_of(draft), crew.get(finding.agent)
        if form is None or agent is None:
            return draft
        try:
            run = await self._runs.get(finding.workspace, run_id)
            return await self._worded(run, draft, finding, form, agent, crew) if run else draft
        except RatchetError as error:
            log.warning("draft_not_worded", finding=finding.id, cause=str(error))
            return draft

    async def _worded(
        self, run: Run, draft: Draft, finding: Finding, form: Form, agent: AgentVersion, crew: Crew
    ) -> Draft:
        request = _request(
            self._model.default, writing.order(form), writing.shown(finding, draft, agent)
        )
        name = f"word:{finding.fingerprint[:16]}"
        said = await self._model.ask(run, name, request, agent.name, finding.id)
        made = self._looked_at(writing.read(form, said), draft, finding, agent, crew)
        if self._evolving is None or not draft.change.bullet:
            return made
        found = await self._evolved(self._evolving, run, made, finding, agent)
        evolved = self._looked_at({"lesson": found}, draft, finding, agent, crew)
        if evolved.change.bullet in (made.change.bullet, draft.change.bullet):
            return made
        return replace(evolved, expected=f"{evolved.expected} gepa found this wording.")

    def _looked_at(
        self, said: Said | None, draft: Draft, finding: Finding, agent: AgentVersion, crew: Crew
    ) -> Draft:
        if said is None:
            return draft
        made, verdict = writing.rewritten(draft, said, finding, agent, crew, self._model.clean)
        log.info("draft_linted", finding=finding.id, verdict=str(verdict))
        return made or draft

    async def _evolved(
        self, evolving: Evolving, run: Run, draft: Draft, finding: Finding, agent: AgentVersion
    ) -> str:
        """In a thread of its own, since gepa blocks; each call comes back here to be paid for."""
        loop, numbers = asyncio.get_running_loop(), count(1)

        def ask(told: str, asked: str) -> str:
            name = f"gepa:{finding.fingerprint[:16]}:{next(numbers)}"
            request = _request(agent.model or self._model.default, told, asked)
            asking = self._model.ask(run, name, request, agent.name, finding.id)
            return asyncio.run_coroutine_threadsafe(asking, loop).result()

        cases = await self._cases(finding)
        lesson = draft.change.bullet
        return await asyncio.to_thread(evolving.search, agent.instructions, lesson, cases, ask)

    async def _cases(self, finding: Finding) -> Sequence[Case]:
        runs = [
            await self._runs.get(finding.workspace, run) for run in finding.evidence[-_MOST_CASES:]
        ]
        wrong = one_line(finding.detail, 400)
        return [Case(one_line(run.message, 1000), wrong) for run in runs if run and run.message]


def _request(model: str, told: str, asked: str) -> ModelRequest:
    messages = ({"role": "system", "content": told}, {"role": "user", "content": asked})
    return ModelRequest(model=model, messages=messages, temperature=0.2, max_tokens=_MOST_TOKENS)
