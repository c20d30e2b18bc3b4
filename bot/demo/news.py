"""What has happened since the last look, read from the database and said in plain words."""

from dataclasses import dataclass, field

from bot.demo.cast import rehearsed
from bot.improve import effects
from bot.improve.facts import OF_RATINGS
from bot.improve.trials import figures, telling
from bot.model.finding import Finding
from bot.model.policy import POLICY
from bot.model.proposal import Proposal, ProposalStatus
from bot.model.trial import Trial, TrialStatus
from bot.model.words import count, one_line, without_context
from bot.model.workspace import HOME
from bot.services import Services

_P, _T = ProposalStatus, TrialStatus
_MOST = 300
_WORDS = 100
_DECIDED = (_P.APPROVED, _P.TRIALLED, _P.KEPT, _P.ROLLED_BACK)


@dataclass(frozen=True, slots=True)
class News:
    """`kind`: finding, card, rehearsal, yes, no, trial, kept or gone. `at` is ms, UTC."""

    at: int
    kind: str
    text: str


@dataclass(slots=True)
class Reporter:
    """Tells each thing once."""

    services: Services
    _told: set[tuple[str, ...]] = field(default_factory=set)
    _names: dict[str, str] = field(default_factory=dict)

    async def news(self) -> list[News]:
        findings = {one.id: one for one in await self.services.findings.list(HOME, limit=_MOST)}
        heard: list[News] = []
        for finding in findings.values():
            if finding.kind not in OF_RATINGS and self._first("finding", finding.id):
                heard.append(News(finding.created_at, "finding", _found(finding)))
        for proposal in await self.services.proposals.list(HOME, (), _MOST):
            behind = findings.get(proposal.finding)
            if behind is None or behind.kind not in OF_RATINGS:
                trial = await self.services.trials.of_proposal(HOME, proposal.ref)
                heard += await self._of(proposal, trial)
        return sorted(heard, key=lambda one: one.at)

    async def _of(self, proposal: Proposal, trial: Trial | None) -> list[News]:
        """In the order in which it goes, whatever was missed in between."""
        now, ref = self.services.clock.now(), proposal.ref
        heard: list[News] = []
        if proposal.status is not _P.DRAFTED and self._first("card", ref):
            by = await self.name(proposal.created_by)
            heard.append(News(proposal.created_at, "card", f"{_asks(by)} {asked(proposal)}."))
        if rehearsed(proposal) and self._first("rehearsal", ref):
            said = f"{ref} was rehearsed: {effects.replayed(proposal)}."
            heard.append(News(now, "rehearsal", said))
        if proposal.status in _DECIDED and self._first("yes", ref):
            by = await self.name(proposal.decided_by)
            heard.append(News(now, "yes", f"{by} approves {ref}.{_how(proposal, trial)}"))
        if proposal.status is _P.DECLINED and self._first("no", ref):
            by = await self.name(proposal.decided_by)
            heard.append(News(now, "no", f"{by} declines {ref}: {proposal.reason}."))
        if trial:
            heard += self._trial(trial, now)
        if proposal.status in (_P.KEPT, _P.ROLLED_BACK) and self._first("end", ref):
            heard.append(_ended(proposal, trial, now))
        return heard

    def _trial(self, trial: Trial, now: int) -> list[News]:
        if trial.started_at and self._first("begun", trial.ref):
            said = f"{trial.ref} begins: one in ten new conversations gets {trial.proposal}."
            return [News(trial.started_at, "trial", said)]
        if trial.status is _T.RUNNING and trial.share >= 0.5 and self._first("half", trial.ref):
            said = f"{trial.ref} has done no harm so far: now half of them get {trial.proposal}."
            return [News(now, "trial", said)]
        return []

    async def name(self, person: str) -> str:
        if person in ("", POLICY, "trial"):
            return "Ratchet"
        if person not in self._names:
            found = await self.services.people.get(HOME, person)
            self._names[person] = (found.name if found else "Somebody").capitalize()
        return self._names[person]

    def _first(self, *what: str) -> bool:
        if what in self._told:
            return False
        self._told.add(what)
        return True


def asked(proposal: Proposal) -> str:
    """Its ref and what it would change, in a few words."""
    words = one_line(without_context(proposal.words) or proposal.title, _WORDS).rstrip(".")
    return f"{proposal.ref}: “{words}”"


def _asks(by: str) -> str:
    return "Ratchet proposes" if by == "Ratchet" else f"{by} wants better answers and asks for"


def _found(finding: Finding) -> str:
    return f"Ratchet noticed in {count(finding.count, 'run')}: {one_line(finding.title, 140)}."


def _how(proposal: Proposal, trial: Trial | None) -> str:
    if trial is None:
        return "" if proposal.tried else " It is in use at once: that can't be tried."
    waits = trial.status is _T.QUEUED
    return f" It waits for its trial {trial.ref}." if waits else ""


def _ended(proposal: Proposal, trial: Trial | None, now: int) -> News:
    kept = proposal.status is _P.KEPT
    what = f"{proposal.ref} {'STAYS' if kept else 'GOES BACK'}"
    if trial is None:
        return News(now, "kept" if kept else "gone", f"{what}: {proposal.reason}.")
    found = figures.read(trial.numbers)
    means = found.candidate.mean, found.incumbent.mean
    numbers = ""
    if means[0] is not None and means[1] is not None:
        numbers = (
            f" {means[0]:.0%} good with it ({found.candidate.scored} outcomes), "
            f"{means[1]:.0%} without ({found.incumbent.scored})."
        )
    return News(now, "kept" if kept else "gone", f"{what}. {telling.why(trial)}.{numbers}")
