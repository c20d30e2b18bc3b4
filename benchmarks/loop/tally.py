"""What one seed under one policy came to, by the hidden truth; JSON in and out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from statistics import fmean
from typing import Any

from bot.llm.simulated.changes import Class
from bot.llm.simulated.truth import Served, Truth

_WINDOW = 50
_LOOK_BACK = 400
_FELL = 0.05


@dataclass(frozen=True, slots=True)
class Adopted:
    """A change that came to stay. `at` is the run from which on everyone got it; `withdrawn` when
    it was taken back, -1 if it never was."""

    change: int
    kind: str
    at: int
    withdrawn: int = -1


@dataclass(frozen=True, slots=True)
class Tally:
    """`success` and `regret` are means over the runs; `cost` is relative to the same runs without
    any change. `alarms` are the runs at which the product said that something got worse, and
    whether it had. `spent_usd` is everything, the loop's own replays and judges included."""

    policy: str
    seed: int
    runs: int
    success: float
    regret: float
    cost: float
    usd: float
    spent_usd: float
    proposed: Mapping[str, int]
    adopted: tuple[Adopted, ...] = ()
    alarms: tuple[tuple[int, bool], ...] = ()
    delays: tuple[int | None, ...] = ()
    """Runs from each degradation to the first alarm, None where none came."""
    rated: int = 0
    failed: int = 0
    jobs_failed: tuple[str, ...] = ()
    seconds: float = 0.0
    extra: Mapping[str, object] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        return asdict(self)


def from_json(value: Mapping[str, Any]) -> Tally:
    adopted = tuple(Adopted(**one) for one in value["adopted"])
    alarms = tuple((int(at), bool(right)) for at, right in value["alarms"])
    lists = {name: tuple(value[name]) for name in ("delays", "jobs_failed")}
    return Tally(**{**value, **lists, "adopted": adopted, "alarms": alarms})


def success_and_regret(truth: Truth, served: Mapping[int, Served]) -> tuple[float, float]:
    """Means over the live runs: the chance of a good answer, and how much higher it would have
    been for who knows the truth and has every good change from its proposal on, none other."""
    chances, best = [], []
    for number, one in served.items():
        chances.append(one.chance)
        best.append(
            truth.chance(one.asked, replace(one.prompt, changes=_good(truth, number)), number)
        )
    if not chances:  # no request was answered
        return 0.0, 0.0
    return fmean(chances), fmean(best) - fmean(chances)


def relative_cost(truth: Truth, served: Mapping[int, Served]) -> float:
    """What was counted over what the same runs would have been counted without any change; by
    their tokens where the model costs nothing."""
    price = truth.world.models[0]
    if not price.input + price.output:
        price = replace(price, input=1.0, output=1.0)

    def usd(tokens: tuple[float, float]) -> float:
        return tokens[0] * price.input + tokens[1] * price.output

    plain = sum(usd(truth.undisturbed(one)) for one in served.values())
    counted = sum(usd((one.tokens_in, one.tokens_out)) for one in served.values())
    return counted / plain if plain else 1.0


def proposed(truth: Truth, count: int) -> dict[str, int]:
    kinds = [truth.change(number).kind for number in range(1, count + 1)]
    return {kind.value: kinds.count(kind) for kind in Class}


def degraded(truth: Truth, served: Mapping[int, Served], at: int, measure: str) -> bool:
    """Whether that had truly become worse shortly before this run: the chance of a good answer by
    .05, or latency and cost by something from outside."""
    if measure != "success":
        lately = range(max(0, at - _LOOK_BACK), at)
        return any(
            one.at in lately and (one.latency if measure == "latency" else one.cost) > 1
            for one in truth.world.interventions
        )
    now = _mean(served, at - _WINDOW, at)
    before = [
        mean
        for start in range(max(0, at - _LOOK_BACK), at - _WINDOW, _WINDOW)
        if (mean := _mean(served, start, start + _WINDOW)) is not None
    ]
    return now is not None and bool(before) and max(before) - now >= _FELL


def delays(truth: Truth, alarms: Iterable[int]) -> tuple[int | None, ...]:
    """For each silent degradation of the world's, how many runs later the first alarm came."""
    heard = sorted(alarms)
    found: list[int | None] = []
    for outside in truth.world.interventions:
        if outside.success < 0 and outside.at < truth.world.runs:
            end = outside.until or truth.world.runs
            after = [at - outside.at for at in heard if outside.at <= at <= end + _WINDOW]
            found.append(after[0] if after else None)
    return tuple(found)


def _good(truth: Truth, at: int) -> frozenset[int]:
    """Every good change that was proposed before this run."""
    known = range(1, min(at // truth.world.changes.every, truth.world.proposals) + 1)
    return frozenset(n for n in known if truth.change(n).kind is Class.GOOD)


def _mean(served: Mapping[int, Served], start: int, end: int) -> float | None:
    chances: Sequence[float] = [served[n].chance for n in range(max(0, start), end) if n in served]
    return fmean(chances) if chances else None
