"""What simple rules look at: each arm's scored runs, one by one, as if all were alike."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.improve.rules import Look, Verdict
from bot.model.trial import Arm, Observed, Trial

CAP = 600
LONGEST_MS = 14 * 24 * 3_600_000
"""The same limits as the product's strict rule: a change that makes no difference would otherwise
hold up all others for good."""


@dataclass(frozen=True, slots=True)
class Scores:
    n: int
    mean: float
    variance: float
    """Of one run."""


def arms(seen: Sequence[Observed]) -> tuple[Scores, Scores]:
    """(incumbent, candidate), of the runs that chance assigned."""
    return _scores(seen, Arm.INCUMBENT), _scores(seen, Arm.CANDIDATE)


def _scores(seen: Sequence[Observed], arm: Arm) -> Scores:
    values = [
        run.y for run in seen if run.arm is arm and run.y is not None and 0.0 < run.propensity < 1.0
    ]
    n = len(values)
    mean = sum(values) / n if n else 0.0
    variance = sum((value - mean) ** 2 for value in values) / (n - 1) if n > 1 else 0.0
    return Scores(n, mean, variance)


def look(
    trial: Trial,
    seen: Sequence[Observed],
    now: int,
    verdict: Verdict,
    share: float,
    **numbers: object,
) -> Look:
    """The verdict, or an end without one where the limits are reached: the incumbent stays."""
    incumbent, candidate = arms(seen)
    shown = {
        "means": [round(incumbent.mean, 4), round(candidate.mean, 4)],
        "scored": [incumbent.n, candidate.n],
        **numbers,
    }
    if verdict is Verdict.GO_ON:
        late = trial.started_at and now >= trial.started_at + LONGEST_MS
        if len(seen) >= CAP or late:
            return Look(Verdict.ROLL_BACK, share, "time" if late else "cap", shown)
        return Look(verdict, share, "", shown)
    return Look(verdict, share, "better" if verdict is Verdict.KEEP else "harm", shown)
