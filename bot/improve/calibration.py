"""Whether what was predicted came: Brier score and reliability table; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.model.stats import wilson

BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Predictions in [low, high): their mean, and the share of success that came, with its 95 %
    interval."""

    low: float
    high: float
    n: int
    predicted: float
    came: float
    interval: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Calibrated:
    """`brier` is the mean squared error, 0 at best; `baseline` that of always saying the overall
    success, known only afterwards; `error` the mean distance of prediction and outcome over the
    bins, each by its size."""

    n: int
    brier: float
    baseline: float
    error: float
    bins: Sequence[Bin]

    @property
    def skill(self) -> float:
        """How much better than the baseline, at most 1; below 0 it is worse."""
        return 1 - self.brier / self.baseline if self.baseline else 0.0


class Calibration:
    """The fold: what was predicted before each outcome, and the outcome. Its state is JSON: [n, sum
    of squared errors, sum of outcomes, of their squares, by bin [n, sum predicted, sum came]]."""

    def __init__(self, state: Sequence[Any] = ()) -> None:
        kept = state or (0, 0.0, 0.0, 0.0, [])
        self._n: int = kept[0]
        self._squares: float = kept[1]
        self._came: float = kept[2]
        self._came_squares: float = kept[3]
        self._bins: list[list[Any]] = [list(row) for row in kept[4]] or [
            [0, 0.0, 0.0] for _ in range(BINS)
        ]

    def dump(self) -> list[Any]:
        return [self._n, self._squares, self._came, self._came_squares, self._bins]

    def came(self, predicted: float, y: float) -> None:
        """Both in [0, 1]; the prediction was made before the outcome was known."""
        self._n += 1
        self._squares += (predicted - y) ** 2
        self._came += y
        self._came_squares += y * y
        row = self._bins[min(BINS - 1, int(predicted * BINS))]
        row[0] += 1
        row[1] += predicted
        row[2] += y

    def found(self) -> Calibrated:
        n = self._n
        if not n:
            return Calibrated(0, 0.0, 0.0, 0.0, ())
        bins = [
            Bin(at / BINS, (at + 1) / BINS, count, said / count, good / count, wilson(good, count))
            for at, (count, said, good) in enumerate(self._bins)
            if count
        ]
        mean = self._came / n
        error = sum(b.n * abs(b.predicted - b.came) for b in bins) / n
        return Calibrated(
            n, self._squares / n, max(0.0, self._came_squares / n - mean * mean), error, bins
        )


def calibrated(pairs: Iterable[tuple[float, float]]) -> Calibrated:
    """(predicted, came) at once."""
    fold = Calibration()
    for predicted, y in pairs:
        fold.came(predicted, y)
    return fold.found()


def table(found: Calibrated) -> list[Mapping[str, float]]:
    """As JSON values, a row per bin."""
    return [
        {
            "low": b.low,
            "high": b.high,
            "n": b.n,
            "predicted": round(b.predicted, 4),
            "came": round(b.came, 4),
        }
        for b in found.bins
    ]
