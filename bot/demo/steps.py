"""Where each step of the ratchet came from: who asked, what it was tried on, what the numbers said."""

from dataclasses import dataclass

from bot.demo.news import Reporter, asked
from bot.improve import effects
from bot.improve.facts import OF_RATINGS
from bot.improve.trials import figures, telling
from bot.improve.trials.figures import Figures
from bot.model.proposal import Proposal, ProposalStatus
from bot.model.trial import ACTIVE, Trial, TrialStatus
from bot.model.workspace import HOME
from bot.services import Services

_P = ProposalStatus
_MOST = 300
_SHOWN = (_P.KEPT, _P.ROLLED_BACK, _P.TRIALLED, _P.APPROVED, _P.DECLINED)


@dataclass(frozen=True, slots=True)
class Ratcheted:
    """`evidence` are run ids; `end` is "stays", "went back", "declined", "on trial" or "in use"."""

    ref: str
    what: str
    source: str
    evidence: tuple[str, ...]
    rehearsal: str
    trial: str
    end: str
    why: str
    found: Figures | None
    decided_at: int


async def ratcheted(services: Services) -> list[Ratcheted]:
    """Everything that was decided on, oldest first."""
    reporter, steps = Reporter(services), list[Ratcheted]()
    proposals = await services.proposals.list(HOME, _SHOWN, _MOST)
    for proposal in sorted(proposals, key=lambda p: p.number):
        trial = await services.trials.of_proposal(HOME, proposal.ref)
        steps.append(_step(proposal, trial, await _source(services, reporter, proposal)))
    return steps


async def waiting(services: Services) -> int:
    """Cards that nobody has decided on."""
    return len(await services.proposals.list(HOME, [_P.OFFERED, _P.DRAFTED], _MOST))


async def _source(services: Services, reporter: Reporter, proposal: Proposal) -> str:
    if not proposal.finding:
        return f"{await reporter.name(proposal.created_by)} after a bad answer"
    finding = await services.findings.get(HOME, proposal.finding)
    if finding is None or finding.kind in OF_RATINGS:
        return "ratings"
    return f"found in the log: {finding.kind}"


def _step(proposal: Proposal, trial: Trial | None, source: str) -> Ratcheted:
    return Ratcheted(
        ref=proposal.ref,
        what=asked(proposal),
        source=source,
        evidence=proposal.evidence,
        rehearsal=effects.replayed(proposal),
        trial=trial.ref if trial else "",
        end=_end(proposal, trial),
        why=telling.why(trial) if trial and trial.ended_at else proposal.reason,
        found=figures.read(trial.numbers) if trial else None,
        decided_at=proposal.decided_at,
    )


def _end(proposal: Proposal, trial: Trial | None) -> str:
    match proposal.status:
        case _P.KEPT:
            return "stays"
        case _P.ROLLED_BACK:
            return "went back"
        case _P.DECLINED:
            return "declined"
    if trial and trial.status is TrialStatus.QUEUED:
        return "waits for its trial"
    return "still on trial" if trial and trial.status in ACTIVE else "in use"
