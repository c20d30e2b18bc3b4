"""What is believed of a change, from what changes mostly do and all that was seen of it; pure."""

from collections.abc import Sequence
from math import exp, pi, sqrt
from statistics import NormalDist

from bot.improve.outcome import JUDGE
from bot.improve.verdicts.bias import BIASES, EFFECT_SD, UNKNOWN, WORTH
from bot.improve.verdicts.estimate import Estimate, Live
from bot.model.trial import Replayed

_JUDGE_OFF = 0.025
"""What a model judge errs by in the difference of two versions, in replays and live alike."""
_USUAL = 10
"""What is thought of changes before any was seen weighs as much as so many of them."""
_TURNS = 30
_NORMAL = NormalDist()

Normal = tuple[float, float]
"""Mean and variance."""


def better(live: Live, replay: Replayed | None, margin: float = 0.0) -> float:
    """The probability that the candidate is truly better. Most changes do nothing at all: that
    counts as not better, or with a margin, where it is enough not to be worse by it, as better."""
    share = WORTH if replay is None or replay.worth is None else replay.worth
    seen = pooled(live, replay)
    if seen is not None:
        share = _has_effect(seen, share)
    return share * leaning(live, replay, margin) + (1 - share if margin > 0 else 0.0)


def leaning(live: Live, replay: Replayed | None, margin: float = 0.0) -> float:
    """The probability of being better by more than `-margin`, if it does anything."""
    seen = pooled(live, replay)
    mean, variance = _together([(0.0, EFFECT_SD**2), *([seen] if seen else [])])
    return _NORMAL.cdf((mean + margin) / sqrt(variance))


def pooled(live: Live, replay: Replayed | None) -> Normal | None:
    """The effect by all that was seen, each as far as it is believed.

    A replay is off by what candidates do better there than in life. A model judge errs in the same
    way wherever it scores: its replay and its live scores are put together first, and then believed
    only as far as it is."""
    scored = [_normal(live.judged)] if live.judged is not None else []
    known = [_normal(live.people)] if live.people is not None else []
    if replay is not None and replay.error > 0:
        mean, off = replay.bias or BIASES.get(replay.by, UNKNOWN)
        held = (replay.mean - mean, replay.error**2 + off**2)
        (scored if replay.by == JUDGE else known).append(held)
    if scored:
        mean, variance = _together(scored)
        known.append((mean, variance + _JUDGE_OFF**2))
    return _together(known) if known else None


def worth(earlier: Sequence[Normal]) -> float:
    """The share of changes that do something, by what was seen of these."""
    share = WORTH
    for _ in range(_TURNS if earlier else 0):
        found = sum(_has_effect(seen, share) for seen in earlier)
        share = (found + _USUAL * WORTH) / (len(earlier) + _USUAL)
    return share


def _has_effect(seen: Normal, share: float) -> float:
    mean, variance = seen
    some = share * _density(mean, variance + EFFECT_SD**2)
    none = (1 - share) * _density(mean, variance)
    return some / (some + none) if some + none > 0 else 1.0


def _density(x: float, variance: float) -> float:
    return exp(-x * x / (2 * variance)) / sqrt(2 * pi * variance)


def _normal(found: Estimate) -> Normal:
    return found.difference, found.error**2


def _together(parts: Sequence[Normal]) -> Normal:
    precision = sum(1 / variance for _, variance in parts)
    return sum(mean / variance for mean, variance in parts) / precision, 1 / precision
