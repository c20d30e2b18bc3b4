"""Keeps the error knowledge base: what fails, what was tried against it, and whether that helped."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.improve.detect import errors
from bot.improve.detect.seen import Seen
from bot.improve.facts import COMPLAINT, ERROR, OUTAGE, text, texts
from bot.model.finding import Finding
from bot.model.proposal import Proposal, ProposalStatus
from bot.services import Services
from jobs.follow import Known, follow, in_turns

NAME = "errors"
_S = ProposalStatus
_KINDS = (ERROR, OUTAGE, COMPLAINT)
_MOST = 200


async def work(services: Services, workspace: str, run_id: str) -> str:
    failed = 0

    async def step(known: Known, page: Sequence[errors.Ran]) -> Sequence[Seen]:
        nonlocal failed
        failures = await services.evidence.failures(workspace, page)
        failed += len(failures)
        seen: list[Seen] = []
        async for runs in in_turns(page):
            seen += errors.fold(known, runs, failures)
        return seen

    read = await follow(services, workspace, NAME, errors.Ran, step)
    state = await services.states.get(workspace, NAME)
    known: Any = state.state.get("known") or {}
    tried = await _remedies(services, workspace, known)
    helped = await _what_helped(services, workspace, known)
    return f"{read} runs read, {failed} with failures, {tried} remedies tried, {helped} helped"


async def _remedies(services: Services, workspace: str, known: Mapping[str, Any]) -> int:
    """What is in use now against what was found; what was taken back is no remedy any more."""
    statuses = [_S.APPROVED, _S.KEPT, _S.ROLLED_BACK]
    answers = await services.proposals.list(workspace, statuses, _MOST)
    found = {one.id: one for one in await services.findings.list(workspace, kinds=_KINDS)}
    tried = 0
    for proposal in answers:
        finding = found.get(proposal.finding)
        if finding is None:
            continue
        if proposal.status is _S.ROLLED_BACK:
            if finding.status == "remedied" and finding.remedy == proposal.ref:
                await services.findings.set_status(workspace, finding.id, "open")
        elif proposal.ref not in texts(finding.facts, "remedies") and (
            await _in_use(services, proposal)
        ):
            facts = {
                "remedies": [*texts(finding.facts, "remedies"), proposal.ref],
                "exposed": errors.exposures(known, finding),
                "worked": "",
            }
            at = proposal.decided_at
            await services.findings.remedied(workspace, finding.id, proposal.ref, at, facts)
            tried += 1
    return tried


async def _in_use(services: Services, proposal: Proposal) -> bool:
    """For everyone: a trial that runs has not decided yet."""
    if proposal.status is _S.KEPT:
        return True
    waits = proposal.tried and await services.trials.of_proposal(proposal.workspace, proposal.ref)
    return proposal.applied is not None and not waits


async def _what_helped(services: Services, workspace: str, known: Mapping[str, Any]) -> int:
    helped = 0
    for finding in await services.findings.list(workspace, kinds=_KINDS, statuses=["remedied"]):
        if text(finding.facts, "worked") or not errors.worked(known, finding):
            continue
        await _note(services, finding)
        helped += 1
    return helped


async def _note(services: Services, finding: Finding) -> None:
    """A lesson that helped against a tool's failure asks for a guard: it is open once more."""
    workspace = finding.workspace
    remedy = await services.proposals.get(workspace, finding.remedy)
    lesson = remedy.change.bullet if remedy else ""
    guards = finding.kind == ERROR and text(finding.facts, "step") and lesson
    facts = {"worked": finding.remedy} | ({"advice": lesson} if guards else {})
    await services.findings.tell(workspace, finding.id, "open" if guards else "remedied", facts)
