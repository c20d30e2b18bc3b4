"""An agent that does one kind of work worse: seen where it is so, and not where it isn't."""

from random import Random

import pytest

from bot.improve.clusters import Clusters
from bot.improve.detect.splits import LEAST, Split, splits
from bot.improve.mining import Mined
from bot.improve.predictor import Predictor

KINDS = (
    "weekly revenue report",
    "translate the newsletter",
    "restart the server",
    "book a meeting room",
    "holiday request form",
)


def _first(success: tuple[float, ...], share: tuple[float, ...], seed: int) -> int | None:
    """After how many runs it is split, with a look after every twenty; None if never."""
    random, clusters, predictor = Random(seed), Clusters(), Predictor()
    ids = [clusters.learn(KINDS[n]) for n in range(len(success))]
    for run in range(1, 1_501):
        at = random.choices(range(len(success)), share)[0]
        predictor.judged(ids[at], "ops", 1, float(random.random() < success[at]), in_use=1)
        if run % 20 == 0:
            poor = {f"{c} ops": [["r1", 1], ["r2", 2]] for c in ids}
            mined = Mined(
                {"clusters": clusters.dump()}, {"predictor": predictor.dump(), "poor": poor}
            )
            if found := list(splits(mined, {"ops"}, ())):
                assert [one.cluster for one in found] == [ids[-1]]
                return run
    return None


def test_what_is_worse_is_found_soon() -> None:
    share = (0.3, 0.25, 0.2, 0.15, 0.1)
    found = [_first((0.85, 0.85, 0.85, 0.85, 0.5), share, seed) for seed in range(6)]
    assert all(run is not None for run in found)
    assert sorted(run for run in found if run)[3] < 600


def test_what_is_alike_is_left_alone() -> None:
    assert [_first((0.75,) * 5, (0.2,) * 5, seed) for seed in range(6)] == [None] * 6


def test_the_test_is_the_corrected_one() -> None:
    """30 of 50 beside 45 of 50: chi-squared with Yates' correction is 10.45, one-sided."""
    split = Split("ops", "c1", 50, 30, 50, 45)
    assert split.chance == pytest.approx(0.000613, rel=0.01)
    assert Split("ops", "c1", LEAST, LEAST, LEAST, LEAST).chance == 1.0
