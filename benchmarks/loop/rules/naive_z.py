"""The z-test of a textbook, looked at after every run, as dashboards do."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from benchmarks.loop.rules.arms import arms, look
from bot.improve.rules import Look, Verdict
from bot.model.trial import Observed, Replayed, Trial

_Z95 = 1.959964
_LEAST = 10


@dataclass(frozen=True, slots=True)
class NaiveZ:
    """Promotes or rolls back once the difference is "significant" (two-sided, .05)."""

    name: str = "naive_z"

    def look(
        self, trial: Trial, seen: Sequence[Observed], replay: Replayed | None, now: int
    ) -> Look:
        z = _z(seen)
        verdict = Verdict.GO_ON
        if abs(z) >= _Z95:
            verdict = Verdict.KEEP if z > 0 else Verdict.ROLL_BACK
        return look(trial, seen, now, verdict, 0.5, z=round(z, 3))


def _z(seen: Sequence[Observed]) -> float:
    old, new = arms(seen)
    if min(old.n, new.n) < _LEAST:
        return 0.0
    pooled = (old.n * old.mean + new.n * new.mean) / (old.n + new.n)
    variance = pooled * (1 - pooled) * (1 / old.n + 1 / new.n)
    return (new.mean - old.mean) / sqrt(variance) if variance > 0 else 0.0
