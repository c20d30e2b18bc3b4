"""A trial's numbers as a rule left them, read back; what a rule doesn't say is missing. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.model.trial import Arm


@dataclass(frozen=True, slots=True)
class Side:
    """One arm. `scored` of the runs have an outcome, `mean` is theirs; None while there is none."""

    runs: int = 0
    scored: int = 0
    sittings: int = 0
    failed: int = 0
    mean: float | None = None


@dataclass(frozen=True, slots=True)
class Ratio:
    """What a run took with the change and without it, over so many runs each."""

    incumbent: float | None = None
    candidate: float | None = None
    n_incumbent: int = 0
    n_candidate: int = 0

    @property
    def change(self) -> float | None:
        """-0.2 is a fifth less."""
        if not self.incumbent or self.candidate is None:
            return None
        return self.candidate / self.incumbent - 1


@dataclass(frozen=True, slots=True)
class Figures:
    incumbent: Side = Side()
    candidate: Side = Side()
    runs: int = 0
    cap: int = 0
    home_runs: int = 0
    people: int = 0
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    up: float = 1.0
    down: float = 1.0
    promote_at: float = 20.0
    roll_back_at: float = 5.0
    posterior: float | None = None
    smoke: bool = True
    path: Sequence[Sequence[float]] = ()
    latency: Ratio = Ratio()
    cost: Ratio = Ratio()


def read(numbers: Mapping[str, object]) -> Figures:
    arms = _part(numbers, "arms")
    path = numbers.get("path")
    return Figures(
        incumbent=_side(_part(arms, Arm.INCUMBENT)),
        candidate=_side(_part(arms, Arm.CANDIDATE)),
        runs=_whole(numbers, "runs"),
        cap=_whole(numbers, "cap"),
        home_runs=_whole(numbers, "home_runs"),
        people=_whole(numbers, "people"),
        difference=_number(numbers, "difference"),
        low=_number(numbers, "low"),
        high=_number(numbers, "high"),
        up=_or(_number(numbers, "up"), 1.0),
        down=_or(_number(numbers, "down"), 1.0),
        promote_at=_or(_number(numbers, "promote_at"), 20.0),
        roll_back_at=_or(_number(numbers, "roll_back_at"), 5.0),
        posterior=_number(numbers, "posterior"),
        smoke=numbers.get("phase", "smoke") == "smoke",
        path=path if isinstance(path, list | tuple) else (),
        latency=_ratio(_part(numbers, "latency")),
        cost=_ratio(_part(numbers, "cost")),
    )


def _side(arm: Mapping[str, object]) -> Side:
    return Side(
        _whole(arm, "runs"),
        _whole(arm, "scored"),
        _whole(arm, "sittings"),
        _whole(arm, "failed"),
        _number(arm, "mean"),
    )


def _ratio(part: Mapping[str, object]) -> Ratio:
    return Ratio(
        _number(part, "incumbent"),
        _number(part, "candidate"),
        _whole(part, "n_incumbent"),
        _whole(part, "n_candidate"),
    )


def _part(numbers: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = numbers.get(name)
    return found if isinstance(found, Mapping) else {}


def _number(numbers: Mapping[str, object], name: str) -> float | None:
    found = numbers.get(name)
    return float(found) if isinstance(found, int | float) else None


def _whole(numbers: Mapping[str, object], name: str) -> int:
    return int(_or(_number(numbers, name), 0.0))


def _or(found: float | None, otherwise: float) -> float:
    return otherwise if found is None else found
