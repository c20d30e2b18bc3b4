"""What the pairs of a replay come to: the mean difference, and how sure it is; pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import sqrt
from statistics import NormalDist, fmean

from bot.model.trial import Replayed
from bot.ports.stores import Pair, Scored

LEAST = 10
"""Fewer compared pairs are not enough to tell anything from."""

_METHODS = ("check", "judge", "similarity")
_FEW = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776}


def differences(pairs: Sequence[Pair]) -> list[float]:
    """Candidate less incumbent, task by task, where both were scored."""
    return [c.y - i.y for i, c in _both(pairs)]


def replayed(pairs: Sequence[Pair]) -> Replayed:
    """Enough where at least ten were compared, and not fewer than were left out."""
    both, out = _both(pairs), [p for p in pairs if p.incumbent is None or p.candidate is None]
    found = differences(pairs)
    return Replayed(
        pairs=len(found),
        mean=fmean(found) if found else 0.0,
        error=standard_error(found),
        by=_method(both),
        diverged=len(out),
        latency_change=_relative([(i.latency_ms, c.latency_ms) for i, c in both]),
        cost_change=_relative([(i.cost_usd, c.cost_usd) for i, c in both]),
        enough=len(found) >= LEAST and len(out) <= len(found),
    )


def standard_error(differences: Sequence[float]) -> float:
    """Of their mean; 0 with fewer than two. One more pair, half a point away from the mean, is
    added: sixty pairs that don't differ at all still don't make it certain that none would."""
    n = len(differences)
    if n < 2:
        return 0.0
    mean = fmean(differences)
    return sqrt((sum((d - mean) ** 2 for d in differences) + 0.25) / n / n)


def interval(result: Replayed) -> tuple[float, float]:
    """95 %, by Student's t; (-1, 1) where there are fewer than two pairs."""
    if result.pairs < 2:
        return -1.0, 1.0
    reach = t95(result.pairs - 1) * result.error
    return max(-1.0, result.mean - reach), min(1.0, result.mean + reach)


def t95(freedom: int) -> float:
    """Student's .975 quantile: from tables up to 4, then by Cornish and Fisher's expansion."""
    if freedom in _FEW:
        return _FEW[freedom]
    n, z = max(1, freedom), NormalDist().inv_cdf(0.975)
    first, second = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / n + second / n**2 + third / n**3


def told(
    result: Replayed, *, status: str, of: int, cost_usd: float, reason: str = ""
) -> Mapping[str, object]:
    """As JSON values, for the proposal's `estimate` under "replay"."""
    low, high = interval(result)
    return {
        "status": status,
        "pairs": result.pairs,
        "done": result.pairs + result.diverged,
        "of": of,
        "mean": round(result.mean, 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "by": result.by,
        "diverged": result.diverged,
        "enough": result.enough and status in ("done", "spent"),
        "cost_usd": round(cost_usd, 6),
        "latency_change": _rounded(result.latency_change),
        "cost_change": _rounded(result.cost_change),
        "reason": reason,
    }


def _both(pairs: Sequence[Pair]) -> list[tuple[Scored, Scored]]:
    return [(p.incumbent, p.candidate) for p in pairs if p.incumbent and p.candidate]


def _method(both: Sequence[tuple[Scored, Scored]]) -> str:
    """What scored most of them; a failed answer alone needs nobody to score it."""
    used = Counter(side.by for pair in both for side in pair if side.by in _METHODS)
    return used.most_common(1)[0][0] if used else "check" if both else ""


def _relative(pairs: Sequence[tuple[float | None, float | None]]) -> float | None:
    """How much more the candidate takes, over all pairs where both are known."""
    known = [(before, now) for before, now in pairs if before is not None and now is not None]
    before = sum(b for b, _ in known)
    return sum(now for _, now in known) / before - 1 if before > 0 else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
