"""How far a judge can be trusted: what it made of answers that people rated too; pure."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from statistics import NormalDist, fmean, variance

from bot.improve.replay.result import t95

LEAST = 20
"""Answers that both spoke of; with fewer nothing is known of a judge."""
BOUND = 0.15
"""A judge further off than this on average is not used."""
LEAST_KAPPA = 0.2
"""Agreement beyond chance that is called fair from here on (Landis and Koch)."""
_LEAST_PER_VERSION = 8
_NOTABLE = 0.05
"""A smaller difference of two versions' biases decides no trial."""
_WIDER = t95(2 * _LEAST_PER_VERSION - 2) / NormalDist().inv_cdf(0.975)


class Trust(StrEnum):
    UNPROVEN = "unproven"
    """Too few answers that people rated too: it may score a replay, which says so, and no trial."""
    TRUSTED = "trusted"
    MISCALIBRATED = "miscalibrated"
    UNEVEN = "uneven"
    """It is kinder to one version than to another: no comparison may rest on it."""


@dataclass(frozen=True, slots=True)
class Both:
    """One answer's grade by the judge and by people, whose answer it was, and who had asked."""

    judged: float
    rated: float
    version: str = ""
    person: str = ""


@dataclass(frozen=True, slots=True)
class Calibration:
    """`bias` is the judge less people, with its 95 % interval; `agreement` the share of answers
    that both call good or both bad, `kappa` (Cohen's) what of that is beyond chance, None where
    one of them said only one thing; `brier` the mean squared difference."""

    n: int
    bias: float = 0.0
    low: float = -1.0
    high: float = 1.0
    agreement: float = 0.0
    kappa: float | None = None
    brier: float = 0.0
    trust: Trust = Trust.UNPROVEN
    uneven: tuple[str, str] | None = None
    """The two versions that it is further apart about than chance allows."""


def calibrated(both: Sequence[Both]) -> Calibration:
    n = len(both)
    if n < 2:
        return Calibration(n)
    off = [one.judged - one.rated for one in both]
    bias, reach = fmean(off), t95(n - 1) * sqrt(variance(off) / n)
    agreement, kappa = _agreement(both)
    trust, uneven = _trust(both)
    most = _most(both)
    if trust in (Trust.MISCALIBRATED, Trust.UNEVEN) and len(most) >= LEAST:
        # Some who rate against all others don't make a judge wrong.
        trust, uneven = _trust(most)
    return Calibration(
        n,
        bias,
        bias - reach,
        bias + reach,
        agreement,
        kappa,
        fmean(d * d for d in off),
        trust,
        uneven,
    )


def _trust(both: Sequence[Both]) -> tuple[Trust, tuple[str, str] | None]:
    if len(both) < LEAST:
        return Trust.UNPROVEN, None
    bias, (_, kappa) = fmean(one.judged - one.rated for one in both), _agreement(both)
    if abs(bias) > BOUND or (kappa is not None and kappa < LEAST_KAPPA):
        return Trust.MISCALIBRATED, None
    uneven = _uneven(both)
    return (Trust.UNEVEN if uneven else Trust.TRUSTED), uneven


def _most(both: Sequence[Both]) -> Sequence[Both]:
    """Without the quarter of the people who are furthest from the judge."""
    off: dict[str, list[float]] = defaultdict(list)
    for one in both:
        off[one.person].append((one.judged - one.rated) ** 2)
    furthest = sorted(off, key=lambda person: (-fmean(off[person]), person))
    left_out = set(furthest[: len(off) // 4])
    return [one for one in both if one.person not in left_out]


def _agreement(both: Sequence[Both]) -> tuple[float, float | None]:
    said = [(one.judged >= 0.5, one.rated >= 0.5) for one in both]
    n = len(said)
    same = sum(judge == people for judge, people in said) / n
    judge, people = (sum(pair[side] for pair in said) / n for side in (0, 1))
    chance = judge * people + (1 - judge) * (1 - people)
    return same, (same - chance) / (1 - chance) if chance < 1 else None


def _uneven(both: Sequence[Both]) -> tuple[str, str] | None:
    """The two versions of one agent furthest apart, where their 95 % interval leaves out 0; of
    several comparisons each gets its share of the 5 %."""
    groups: dict[str, list[float]] = defaultdict(list)
    for one in both:
        groups[one.version].append(one.judged - one.rated)
    known = sorted(v for v, off in groups.items() if v and len(off) >= _LEAST_PER_VERSION)
    tests = [(a, b) for n, a in enumerate(known) for b in known[n + 1 :] if _agent(a) == _agent(b)]
    apart = [
        (_apart(groups[a], groups[b]), (a, b))
        for a, b in tests
        if abs(fmean(groups[a]) - fmean(groups[b])) >= _NOTABLE
    ]
    bar = NormalDist().inv_cdf(1 - 0.025 / max(1, len(tests))) * _WIDER
    far = max(apart, default=None)
    return far[1] if far and far[0] > bar else None


def _agent(version: str) -> str:
    return version.rpartition(" ")[0]


def _apart(one: Sequence[float], other: Sequence[float]) -> float:
    """Welch's t of the difference; a spread of 0 counts as a small one."""
    error = sqrt(sum(max(variance(g), 0.01) / len(g) for g in (one, other)))
    return abs(fmean(one) - fmean(other)) / error
