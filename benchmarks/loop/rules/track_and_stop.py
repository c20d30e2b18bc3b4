"""TensorZero's rule, made anew from its published description, for two variants.

"Track-and-Stop": https://www.tensorzero.com/docs/experimentation/run-adaptive-ab-tests, after
Garivier and Kaufmann, "Optimal best arm identification with fixed confidence" (COLT 2016). Each
variant first gets a minimum of samples; then traffic is shared in the asymptotically optimal
proportion for rewards of unequal variance; it stops when the generalised likelihood ratio of the
leader against the other passes log((1 + log t) / delta). Defaults: delta .05, epsilon 0, 10
samples.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt

from benchmarks.loop.rules.arms import Scores, arms, look
from bot.improve.rules import Look, Verdict
from bot.model.trial import Observed, Replayed, Trial

_RIDGE = 1e-6
_LEAST_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class TrackAndStop:
    delta: float = 0.05
    epsilon: float = 0.0
    least: int = 10
    name: str = "tensorzero"

    def look(
        self, trial: Trial, seen: Sequence[Observed], replay: Replayed | None, now: int
    ) -> Look:
        old, new = arms(seen)
        ratio, verdict = self._ratio(old, new), Verdict.GO_ON
        pulls = old.n + new.n
        if min(old.n, new.n) >= self.least and ratio > log((1 + log(pulls)) / self.delta):
            verdict = Verdict.KEEP if new.mean > old.mean else Verdict.ROLL_BACK
        share = 0.5 if min(old.n, new.n) < self.least else _optimal(old, new)
        return look(trial, seen, now, verdict, share, ratio=round(ratio, 3))

    def _ratio(self, old: Scores, new: Scores) -> float:
        if not old.n or not new.n:
            return 0.0
        gap = abs(new.mean - old.mean) + self.epsilon
        spread = max(old.variance, _RIDGE) / old.n + max(new.variance, _RIDGE) / new.n
        return gap * gap / (2 * spread)


def _optimal(old: Scores, new: Scores) -> float:
    """With two Gaussian arms the optimal proportions are those of the standard deviations."""
    a, b = sqrt(max(old.variance, _RIDGE)), sqrt(max(new.variance, _RIDGE))
    return min(max(b / (a + b), _LEAST_SHARE), 1 - _LEAST_SHARE)
