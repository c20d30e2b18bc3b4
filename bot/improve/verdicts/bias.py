"""How far a replay's scores mislead, learned from trials that came after replays; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

WORTH = 0.5
"""The share of changes that do anything, before any was seen."""
EFFECT_SD = 0.12
"""How large the effect of those mostly is."""
_SPREAD = WORTH * EFFECT_SD**2
"""The variance of the effects of all changes."""


class Bias(NamedTuple):
    """What is added to a replay's difference, beyond chance, by what scored it and by what works
    on recorded requests only: `mean` by habit, and what differs from change to change; `sd` is of
    both together."""

    mean: float
    sd: float


BIASES: Mapping[str, Bias] = {
    "check": Bias(0.0, 0.04),
    "similarity": Bias(0.0, 0.07),
    "judge": Bias(0.0, 0.04),
}
"""Where nothing was learned yet."""
UNKNOWN = BIASES["similarity"]
_HABIT = 0.75
"""So much of a bias's variance is habit: the same for every change."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A replay's difference and then the trial's, with their standard errors."""

    replayed: float
    replay_error: float
    seen: float
    seen_error: float


def learned(default: Bias, earlier: Sequence[Compared]) -> Bias:
    """The bias after these trials.

    What was tried is what replay liked, so its results are drawn back first to what one had to
    expect of them: without that, mere luck would look like bias. A trial tells little beside what
    people's few ratings scatter, so it takes dozens to move it far.
    """
    habit, each = _HABIT * default.sd**2, (1 - _HABIT) * default.sd**2
    if not habit:
        return default
    precision, total = 1 / habit, 0.0
    for one in earlier:
        off = one.replay_error**2 + each
        kept = _SPREAD / (_SPREAD + off)
        noise = kept * off + one.seen_error**2
        precision += kept**2 / noise
        total += kept * (kept * (one.replayed - default.mean) - one.seen) / noise
    return Bias(default.mean + total / precision, sqrt(1 / precision + each))
