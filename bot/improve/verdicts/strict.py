"""Strict: the wealth alone decides, or the incumbent stays."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.improve.eprocess import PROMOTE
from bot.improve.rules import Look, Verdict
from bot.improve.verdicts.evidence import Evidence, gather
from bot.improve.verdicts.guards import harm, survives, unfounded
from bot.improve.verdicts.numbers import numbers
from bot.model.trial import Arm, Observed, Replayed, Trial

SMOKE_RUNS = 20
SMOKE_SHARE, EVEN_SHARE = 0.1, 0.5
LONGEST_MS = 14 * 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Strict:
    """Keeps a candidate whose wealth reached 20, rolls back on harm at any time; at `cap` runs or
    the trial's end the incumbent stays."""

    cap: int = 600
    name: str = "strict"

    def look(
        self, trial: Trial, seen: Sequence[Observed], replay: Replayed | None, now: int
    ) -> Look:
        """`seen` are closed runs."""
        evidence = gather(trial, seen)
        return made(trial, evidence, *self.decide(trial, evidence, now), self.cap)

    def decide(self, trial: Trial, evidence: Evidence, now: int) -> tuple[Verdict, str]:
        """The verdict and why, without the numbers."""
        verdict, why = early(trial, evidence)
        if verdict is Verdict.GO_ON and (why := over(trial, evidence, self.cap, now)):
            return Verdict.ROLL_BACK, why
        return verdict, why


def early(trial: Trial, evidence: Evidence) -> tuple[Verdict, str]:
    """What may be said after any run, and why."""
    if why := harm(evidence):
        return Verdict.ROLL_BACK, why
    if evidence.success.wealth.up >= PROMOTE and not in_smoke(evidence) and survives(evidence):
        if why := unfounded(evidence):
            return Verdict.ROLL_BACK, why
        return Verdict.KEEP, "not_worse" if trial.margin else "better"
    return Verdict.GO_ON, ""


def over(trial: Trial, evidence: Evidence, cap: int, now: int) -> str:
    """Why it ends without more runs: "cap", "time", or nothing."""
    if evidence.runs >= cap:
        return "cap"
    ends_at = trial.ends_at or (trial.started_at + LONGEST_MS if trial.started_at else 0)
    return "time" if ends_at and now >= ends_at else ""


def made(trial: Trial, evidence: Evidence, verdict: Verdict, why: str, cap: int) -> Look:
    """The look, with the share from now on and the numbers for people."""
    smoke = in_smoke(evidence)
    shown = numbers(trial, evidence, "smoke" if smoke else "even", cap)
    return Look(verdict, SMOKE_SHARE if smoke else EVEN_SHARE, why, shown)


def in_smoke(evidence: Evidence) -> bool:
    """The first runs, and as many again where the candidate had none of them yet."""
    tried = any(run.arm is Arm.CANDIDATE for run in evidence.seen)
    return evidence.runs < (SMOKE_RUNS if tried else 2 * SMOKE_RUNS)
