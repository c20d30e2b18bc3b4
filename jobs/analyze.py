"""Reads what came since last time: outcomes, findings, and proposals drafted from them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import structlog

from bot.errors import RatchetError
from bot.improve.analyst import REPEATS, SELDOM, Analyst
from bot.improve.clusters import Clusters
from bot.improve.detect import follow_ups
from bot.improve.detect.follow_ups import Asked, FollowUp
from bot.improve.detect.seen import Seen
from bot.improve.facts import DISLIKED
from bot.improve.forecast import CLOSED, known_of
from bot.improve.outcome import JUDGE, implicit
from bot.improve.ranking import ENDED, worth_another_look
from bot.improve.scoring import Scoring
from bot.improve.trials.telling import WIDER
from bot.model.feedback import Feedback
from bot.model.finding import Finding
from bot.model.proposal import Proposal, ProposalStatus
from bot.model.run import Run, RunKind
from bot.model.terms import teaches
from bot.model.words import count, one_line
from bot.services import Services
from jobs.follow import Known, follow, in_turns

log = structlog.get_logger()

_PAGE = 500
# A row's time is when it was made, not when it was committed. Reading a little again finds what
# came late, and what was seen before changes nothing.
_LATE_FEEDBACK_MS = 60_000
_DRAFTS = 20  # a pass: a long log that is read for the first time asks for thousands


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
    words_taken = await _proposed(services, workspace)
    while page := await services.feedback.since(workspace, after, _PAGE):
        runs = await _runs_of(services, workspace, page)
        scored += await _scoring(services).score_all(
            workspace, [(run, None) for run in runs.values()]
        )
        about = [(one, runs[one.run_id]) for one in page if one.run_id in runs]
        found = analyst.complaints((one, run) for one, run in about if run.id not in words_taken)
        await services.findings.raise_all(workspace, found)
        after = page[-1].created_at
        await services.job_states.set_watermark(workspace, "analyze.feedback", after)
        if len(page) < _PAGE:
            break
    return scored


async def _read_runs(services: Services, workspace: str) -> int:
    """What the next message lets one guess about the answer before it."""
    guessed = 0

    async def step(known: Known, page: Sequence[Asked]) -> Sequence[Seen]:
        nonlocal guessed
        async for runs in in_turns(page):
            guessed += await _guess(services, workspace, follow_ups.fold(known, runs))
        return ()

    await follow(services, workspace, "follow_ups", Asked, step)
    return guessed


async def _guess(services: Services, workspace: str, found: Sequence[FollowUp]) -> int:
    ids = {id for one in found for id in (one.first, one.then)}
    runs = await services.runs.many(workspace, sorted(ids))
    pairs = [(runs[o.first], runs[o.then]) for o in found if {o.first, o.then} <= runs.keys()]
    told = [
        (run, then)
        for run, then in pairs
        if run.outcome.source in ("", JUDGE) and implicit(run, then)
    ]
    return await _scoring(services).score_all(workspace, told)


def _scoring(services: Services) -> Scoring:
    return Scoring(
        services.runs,
        services.feedback,
        services.workflows,
        services.judgements,
        services.judging,
        services.clock,
    )


async def _propose(services: Services, workspace: str, run_id: str) -> int:
    await _reopen(services, workspace)
    offered = 0
    for finding in await services.findings.open(workspace, _DRAFTS, SELDOM):
        try:
            offered += await _answer(services, finding, run_id)
        except RatchetError as error:
            log.warning("finding_kept", finding=finding.id, cause=str(error))
    return offered


async def _reopen(services: Services, workspace: str) -> None:
    """What was turned down comes back once there is twice the evidence for it; what wasn't begun,
    because more would have come of it than was approved, at once."""
    seen: set[str] = set()
    for proposal in await services.proposals.list(workspace, (), _PAGE):
        if not proposal.finding or proposal.finding in seen:
            continue
        seen.add(proposal.finding)
        wider = await _widened(services, proposal)
        if proposal.status not in ENDED and not wider:
            continue
        finding = await services.findings.get(workspace, proposal.finding)
        if finding and (wider or worth_another_look(proposal, finding.count)):
            await services.findings.set_status(workspace, finding.id, "open")


async def _widened(services: Services, proposal: Proposal) -> bool:
    if proposal.status is not ProposalStatus.SUPERSEDED or not proposal.applied:
        return False
    trial = await services.trials.of_proposal(proposal.workspace, proposal.ref)
    return trial is not None and trial.reason == WIDER


async def _answer(services: Services, finding: Finding, run_id: str) -> bool:
    if finding.kind == DISLIKED:
        finding = replace(
            finding, facts={**finding.facts, "examples": await _asked(services, finding)}
        )
    proposal = await services.desk.from_finding(finding, run_id)
    status = "proposed" if proposal else "known"
    await services.findings.set_status(finding.workspace, finding.id, status)
    return proposal is not None and proposal.status is not ProposalStatus.DRAFTED


async def _asked(services: Services, finding: Finding) -> list[str]:
    """What was asked in its runs: those of one kind, where it is as often one kind as a finding
    takes, or else the newest."""
    said = await services.evidence.messages(finding.workspace, finding.evidence)
    texts = [said[run] for run in finding.evidence if run in said]
    mined = known_of((await services.states.get(finding.workspace, CLOSED)).state)
    clusters = Clusters(mined.get("clusters"))
    kinds = Counter(kind for text in texts if (kind := clusters.of(text)))
    [(most, times)] = kinds.most_common(1) or [("", 0)]
    alike = [text for text in texts if clusters.of(text) == most] if times >= REPEATS else texts
    return list(dict.fromkeys(one_line(text, 160).replace('"', "'") for text in alike))[-REPEATS:]


async def _runs_of(
    services: Services, workspace: str, page: Sequence[Feedback]
) -> Mapping[str, Run]:
    runs = await services.runs.many(workspace, sorted({one.run_id for one in page}))
    return {
        id: run for id, run in runs.items() if run.kind is RunKind.REQUEST and teaches(run.channel)
    }


async def _proposed(services: Services, workspace: str) -> set[str]:
    """Runs that a person's own words made a proposal of already."""
    recent = await services.proposals.list(workspace, (), _PAGE)
    return {run for proposal in recent if proposal.created_by for run in proposal.evidence}
