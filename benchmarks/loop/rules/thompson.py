"""Thompson sampling with a Bayesian stop: traffic follows the chance of being better."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

from benchmarks.loop.rules.arms import Scores, arms, look
from bot.improve.rules import Look, Verdict
from bot.model.trial import Observed, Replayed, Trial

_SURE = 0.95
_LEAST = 10
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Thompson:
    """Beta(1, 1) for each arm; a new sitting gets the candidate with the probability that it is
    the better one (at least .05, at most .95); decided when that is above .95 or below .05."""

    name: str = "thompson"

    def look(
        self, trial: Trial, seen: Sequence[Observed], replay: Replayed | None, now: int
    ) -> Look:
        old, new = arms(seen)
        better = _better(old, new)
        verdict = Verdict.GO_ON
        if min(old.n, new.n) >= _LEAST and not 1 - _SURE <= better <= _SURE:
            verdict = Verdict.KEEP if better > _SURE else Verdict.ROLL_BACK
        share = min(max(better, 1 - _SURE), _SURE)
        return look(trial, seen, now, verdict, share, better=round(better, 4))


def _better(old: Scores, new: Scores) -> float:
    (a, variance_a), (b, variance_b) = _beta(old), _beta(new)
    return _NORMAL.cdf((b - a) / sqrt(variance_a + variance_b))


def _beta(scores: Scores) -> tuple[float, float]:
    """Mean and variance of an arm's posterior."""
    good, size = 1 + scores.n * scores.mean, 2 + scores.n
    mean = good / size
    return mean, mean * (1 - mean) / (size + 1)
