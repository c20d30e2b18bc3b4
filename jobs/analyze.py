"""Reads what came since last time: outcomes, findings, and proposals drafted from them."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

import structlog

from bot.errors import RatchetError
from bot.improve.analyst import Analyst, ripe
from bot.improve.outcome import JUDGE, implicit
from bot.improve.ranking import ENDED, worth_another_look
from bot.improve.scoring import Scoring
from bot.model.feedback import Feedback
from bot.model.finding import Finding
from bot.model.proposal import ProposalStatus
from bot.model.run import Run, RunKind
from bot.model.terms import teaches
from bot.model.words import count
from bot.services import Services

log = structlog.get_logger()

_PAGE = 500
# A row's time is when it was made, not when it was committed; and a run may fail long after it
# was asked. Reading a little again finds these, and what was seen before changes nothing.
_LATE_FEEDBACK_MS = 60_000
_LATE_RUNS_MS = 30 * 60_000


async def work(services: Services, workspace: str, run_id: str) -> str:
    """Its cost grows with what is new, not with the log."""
    analyst = Analyst(workspace, services.clock, services.ids)
    scored = await _read_feedback(services, workspace, analyst)
    guessed = await _read_runs(services, workspace)
    offered = await _propose(services, workspace, run_id)
    judged, rated = count(scored + guessed, "answer"), scored or "none"
    return f"{judged} judged, {rated} rated by people, {_number(offered)}"


def _number(offered: int) -> str:
    return count(offered, "proposal") if offered else "no proposals"


async def _read_feedback(services: Services, workspace: str, analyst: Analyst) -> int:
    mark = await services.job_states.watermark(workspace, "analyze.feedback")
    after, scored = max(0, mark - _LATE_FEEDBACK_MS), 0
    while page := await services.feedback.since(workspace, after, _PAGE):
        about = [(one, run) for one in page if (run := await _run_of(services, one))]
        for run in {run.id: run for _, run in about}.values():
            scored += await _scoring(services).score(run)
        words_taken = await _proposed(services, workspace)
        for finding in analyst.complaints(
            (one, run) for one, run in about if run.id not in words_taken
        ):
            await services.findings.raise_once(finding)
        after = page[-1].created_at
        await services.job_states.set_watermark(workspace, "analyze.feedback", after)
        if len(page) < _PAGE:
            break
    return scored


async def _read_runs(services: Services, workspace: str) -> int:
    now = services.clock.now()
    mark = await services.job_states.watermark(workspace, "analyze.runs")
    since, guessed = max(0, mark - _LATE_RUNS_MS), 0
    while since <= now:
        runs = await services.runs.between(workspace, since, now + 1, limit=_PAGE)
        until = runs[-1].created_at + 1 if len(runs) == _PAGE else now + 1
        guessed += await _guess(services, runs)
        await services.job_states.set_watermark(workspace, "analyze.runs", until - 1)
        since = until
    return guessed


def _scoring(services: Services) -> Scoring:
    return Scoring(
        services.runs,
        services.feedback,
        services.workflows,
        services.judgements,
        services.judging,
        services.clock,
    )


async def _guess(services: Services, runs: Sequence[Run]) -> int:
    guessed = 0
    for run, following in _successive(runs):
        if run.outcome.source in ("", JUDGE) and implicit(run, following):
            guessed += await _scoring(services).score(run, following)
    return guessed


async def _propose(services: Services, workspace: str, run_id: str) -> int:
    await _reopen(services, workspace)
    offered = 0
    for finding in filter(ripe, await services.findings.open(workspace)):
        try:
            offered += await _answer(services, finding, run_id)
        except RatchetError as error:
            log.warning("finding_kept", finding=finding.id, cause=str(error))
    return offered


async def _reopen(services: Services, workspace: str) -> None:
    """What was turned down comes back once there is twice the evidence for it."""
    seen: set[str] = set()
    for proposal in await services.proposals.list(workspace, (), _PAGE):
        if not proposal.finding or proposal.finding in seen:
            continue
        seen.add(proposal.finding)
        if proposal.status not in ENDED:
            continue
        finding = await services.findings.get(workspace, proposal.finding)
        if finding and worth_another_look(proposal, finding.count):
            await services.findings.set_status(workspace, finding.id, "open")


async def _answer(services: Services, finding: Finding, run_id: str) -> bool:
    proposal = await services.desk.from_finding(finding, run_id)
    status = "proposed" if proposal else "known"
    await services.findings.set_status(finding.workspace, finding.id, status)
    return proposal is not None and proposal.status is not ProposalStatus.DRAFTED


async def _run_of(services: Services, feedback: Feedback) -> Run | None:
    run = await services.runs.get(feedback.workspace, feedback.run_id)
    return run if run and run.kind is RunKind.REQUEST and teaches(run.channel) else None


async def _proposed(services: Services, workspace: str) -> set[str]:
    """Runs that a person's own words made a proposal of already."""
    recent = await services.proposals.list(workspace, (), _PAGE)
    return {run for proposal in recent if proposal.created_by for run in proposal.evidence}


def _successive(runs: Sequence[Run]) -> list[tuple[Run, Run]]:
    """Each request with the same person's next one in the conversation."""
    by_place: dict[tuple[str, str], list[Run]] = defaultdict(list)
    for run in runs:
        if run.kind is RunKind.REQUEST and teaches(run.channel):
            by_place[run.conversation, run.person].append(run)
    return [pair for place in by_place.values() for pair in pairwise(place)]
