"""Which proposal is worth the next look: benefit times confidence over risk and cost; pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.improve import facts
from bot.model.finding import Finding
from bot.model.proposal import Proposal, ProposalKind, ProposalStatus

_USD = 5.0
"""Better answers that are worth a US dollar."""
_GAIN = 0.1
"""The part of the runs it is about that becomes better, where nothing says more."""
_PART = 0.5
"""Of what could be gained at best, what is expected."""
_SURE = 3.0
"""So many runs are half the confidence."""
_COST: Mapping[ProposalKind, float] = {
    ProposalKind.MEMORY_NEW: 1.0,
    ProposalKind.OPS_ACTION: 1.0,
    ProposalKind.AGENT_RETIRE: 1.5,
    ProposalKind.AGENT_NEW: 3.0,
    ProposalKind.AGENT_SPLIT: 3.0,
    ProposalKind.AGENT_MERGE: 3.0,
}
"""What it takes to find out, against a fact that is only looked at: a trial is 2."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """`gain` is the change in success of the runs it is about, expected, at worst and at best;
    `usd_week` what it saves. None where nothing is known."""

    runs_week: float
    gain: tuple[float, float, float] | None
    usd_week: float
    confidence: float
    risk: float
    cost: float
    evidence: int

    @property
    def benefit(self) -> float:
        """In better answers a week."""
        gain = self.gain[0] if self.gain else _GAIN
        return max(0.0, self.runs_week * gain) + max(0.0, self.usd_week) * _USD

    @property
    def rank(self) -> float:
        return round(self.benefit * self.confidence / (self.risk * self.cost), 4)

    def as_json(self) -> dict[str, object]:
        gain = [round(g, 4) for g in self.gain] if self.gain else None
        return {
            "runs_week": round(self.runs_week, 2),
            "gain": gain,
            "usd_week": round(self.usd_week, 4),
            "benefit": round(self.benefit, 3),
            "confidence": round(self.confidence, 3),
            "risk": self.risk,
            "cost": self.cost,
            "evidence": self.evidence,
        }


def of_finding(finding: Finding, kind: ProposalKind, risk: str) -> Estimate:
    """From the size of the problem and how sure it is."""
    known = finding.facts
    week = facts.number(known, "runs_week")
    sure = finding.confidence or finding.count / (finding.count + _SURE)
    saves = facts.number(known, "saves")
    saved = finding.usd_week if saves is None else finding.usd_week * saves
    return Estimate(
        runs_week=float(finding.count) if week is None else week,
        gain=_gain(known, finding.kind),
        usd_week=saved if finding.kind in (facts.COST, facts.UNUSED, facts.REGRESSION) else 0.0,
        confidence=min(max(sure, 0.0), 1.0),
        risk=_risk(risk),
        cost=_COST.get(kind, 2.0),
        evidence=finding.count,
    )


def of_words(kind: ProposalKind, risk: str) -> Estimate:
    """Somebody asked for it in person: one run that is known, and someone who is sure."""
    return Estimate(1.0, None, 0.0, 1.0, _risk(risk), _COST.get(kind, 2.0), 1)


def worth_another_look(proposal: Proposal, evidence: int) -> bool:
    """Whether what was turned down, forgotten or taken back may be proposed again: only on twice
    the evidence, and more than one run more."""
    if proposal.status not in ENDED:
        return False
    told = facts.number(proposal.estimate, "evidence")
    seen = max(1, len(proposal.evidence) if told is None else int(told))
    return evidence >= max(2 * seen, seen + 2)


ENDED = (ProposalStatus.DECLINED, ProposalStatus.EXPIRED, ProposalStatus.ROLLED_BACK)


def in_words(proposal: Proposal) -> str:
    """The rank and what it was made from, in one line; "" where there is none."""
    known = proposal.estimate
    made = {key: facts.number(known, key) for key in ("benefit", "confidence", "risk", "cost")}
    if any(value is None for value in made.values()):
        return ""
    return (
        f"{proposal.rank:.2g}: about {made['benefit']:.2g} better answers a week at "
        f"{made['confidence']:.0%} confidence, over risk {made['risk']:.2g} and cost of trying "
        f"{made['cost']:.2g}"
    )


def _gain(known: Mapping[str, object], kind: str) -> tuple[float, float, float] | None:
    """Up to how the same agent does elsewhere, or with the steps of a pattern up to how it does
    with them: half of that is expected, nothing at worst."""
    success, baseline = facts.number(known, "success"), facts.number(known, "baseline")
    if (there := facts.number(known, "success_there")) is not None:
        baseline = there
    if success is None or baseline is None:
        return None
    best = max(0.0, success - baseline if kind == facts.PATTERN else baseline - success)
    return (_PART * best, 0.0, best)


def _risk(risk: str) -> float:
    return 1.0 if risk == "approver" else 2.0
