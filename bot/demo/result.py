"""What a demo comes to: only what its two databases say; as data, and in a sentence."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bot.demo.calendar import Calendar
from bot.demo.steps import Ratcheted
from bot.demo.weeks import Compared, Week, compared
from bot.model.words import count

_LAST = 2
"""Weeks at the end that are compared: what was learned by then is in use in them."""

Pairs = Sequence[tuple[Week, Week]]


@dataclass(frozen=True, slots=True)
class Result:
    """`slowed` says that the machine was slow, and the team asked less for it."""

    seed: int
    calendar: Calendar
    requests: int
    slowed: bool
    seconds: float
    weeks: Pairs
    steps: Sequence[Ratcheted]
    waiting: int
    picture: str
    home: str
    """"" where nothing is kept."""

    @property
    def last(self) -> Compared | None:
        """The last weeks without the loop and with it."""
        ends = self.weeks[-_LAST:]
        return compared([stays for _, stays in ends], [learns for learns, _ in ends])


def sentence(result: Result) -> str:
    """What was measured, and no more than that."""
    found, weeks = result.last, min(_LAST, len(result.weeks))
    if found is None:
        return "No outcome was recorded, so nothing can be said."
    low, high = found.low * 100, found.high * 100
    told = (
        f"In the last {'week' if weeks == 1 else count(weeks, 'week')}, measured over {found.n_before:,} and "
        f"{found.n_after:,} runs with an outcome: {found.before:.0%} good answers without the "
        f"loop, {found.after:.0%} with it (difference {low:+.0f} to {high:+.0f} points)."
    )
    if low <= 0 <= high:
        told += " That is not enough to tell them apart."
    return told


def as_json(result: Result) -> dict[str, Any]:
    found = result.last
    return {
        "simulated": True,
        "seed": result.seed,
        "requests": result.requests,
        "slowed": result.slowed,
        "seconds": round(result.seconds, 1),
        "weeks": [
            {"week": n, "with": _week(learns), "without": _week(stays)}
            for n, (learns, stays) in enumerate(result.weeks, 1)
        ],
        "steps": [_step(step) for step in result.steps],
        "waiting": result.waiting,
        "last_weeks": asdict(found) if found else None,
        "said": sentence(result),
        "picture": result.picture or None,
        "home": result.home or None,
    }


def _week(week: Week) -> dict[str, Any]:
    whole = week.totals
    return {
        "runs": whole.runs,
        "scored": whole.scored,
        "rated": whole.rated,
        "good": round(whole.good, 4),
        "success": _rounded(week.success),
        "p50_ms": _rounded(week.p50),
        "cost_usd": _rounded(whole.cost_usd, 6),
        "loop_usd": round(week.loop_usd, 6),
    }


def _step(step: Ratcheted) -> dict[str, Any]:
    found = step.found
    sides = {}
    if found:
        for name, side in (("with", found.candidate), ("without", found.incumbent)):
            sides[name] = {"runs": side.runs, "scored": side.scored, "good": side.mean}
    return {
        "proposal": step.ref,
        "what": step.what,
        "source": step.source,
        "evidence": list(step.evidence),
        "rehearsal": step.rehearsal,
        "trial": step.trial or None,
        "end": step.end,
        "why": step.why,
        "measured": sides or None,
    }


def _rounded(value: float | None, digits: int = 4) -> float | None:
    return None if value is None else round(value, digits)
