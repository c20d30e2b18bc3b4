"""The difference between the arms, and how sure it is."""

import random
from dataclasses import replace

import pytest

from bot.improve.verdicts.bias import BIASES, Compared, learned
from bot.improve.verdicts.estimate import Estimate, Live, estimate, posterior
from bot.improve.verdicts.evidence import twice_p90
from bot.improve.verdicts.gate import promising
from bot.improve.verdicts.sittings import sittings, weigh
from bot.model.trial import Observed
from tests.bot.improve.verdicts.trials import observed, replayed, runs


def of(seen: list[Observed]) -> Estimate:
    found = estimate(list(weigh(sittings(seen), lambda run: run.y)))
    assert found is not None
    return found


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    held = [
        low <= 0.1 <= high
        for seed in range(300)
        for low, high in [of(runs(60, (0.7, 0.8), seed=seed)).interval]
    ]
    assert 0.93 <= sum(held) / len(held) <= 0.995


def test_no_interval_reaches_beyond_all_and_nothing() -> None:
    low, high = of([observed(n, n % 2 == 1, y=float(n % 2)) for n in range(40)]).interval
    assert 0.5 < low < 1 and high == 1


def test_runs_of_one_sitting_are_hardly_more_than_one() -> None:
    once = runs(80, (0.5, 0.5))
    five = [replace(run, run_id=f"{run.run_id}.{n}") for run in once for n in range(5)]
    assert of(five).difference == pytest.approx(of(once).difference)
    assert of(five).error == pytest.approx(of(once).error, rel=0.02)


def test_luck_of_a_few_is_not_certainty() -> None:
    seen = [observed(n, n % 2 == 1, y=float(n % 2)) for n in range(8)]
    assert of(seen).difference == 1.0
    assert of(seen).error > 0.2


def test_an_arm_without_anything_has_no_difference() -> None:
    units = sittings([observed(1, y=1.0), observed(2, True)])
    assert estimate(list(weigh(units, lambda run: run.y))) is None


def test_replay_and_trial_add_up() -> None:
    live = Estimate(0.1, 0.08, (0.7, 0.8), (50, 50))
    alone, both = posterior(Live(live), None), posterior(Live(live), replayed(0.1))
    assert 0.5 < alone < both < 1
    assert posterior(Live(live), replayed(0.1, by="judge")) < both
    assert posterior(Live(live), replayed(0.1, by="unheard")) < both
    assert posterior(Live(), None) == 0.5
    assert posterior(Live(), None, margin=0.05) > 0.7
    assert posterior(Live(), replayed(0.1, error=0.0)) == 0.5


def test_a_judge_is_believed_once_however_often_it_scores() -> None:
    sure = Estimate(0.02, 0.001, (0.7, 0.72), (5000, 5000))
    once = posterior(Live(judged=sure), None)
    assert posterior(Live(judged=sure), replayed(0.02, error=0.001, by="judge")) == pytest.approx(
        once, abs=0.001
    )
    assert once < posterior(Live(people=sure), None)


def test_what_replay_promised_too_often_is_taken_off() -> None:
    default = BIASES["similarity"]
    fair = [Compared(0.12, 0.06, 0.06, 0.08)] * 60
    vain = [Compared(0.12, 0.06, 0.0, 0.08)] * 60
    assert learned(default, []).sd == pytest.approx(default.sd)
    assert abs(learned(default, fair).mean) < 0.02
    assert learned(default, vain).mean > 0.04
    assert learned(default, vain).sd < default.sd
    biases = {"similarity": learned(default, vain)}
    promised = replayed(0.15, by="similarity")
    assert posterior(Live(), promised, biases=biases) < posterior(Live(), promised)


def test_without_a_difference_it_is_seldom_sure() -> None:
    chance, sure = random.Random(5), 0
    for seed in range(400):
        live = of(runs(60, (0.7, 0.7), seed=seed))
        sure += posterior(Live(live), replayed(chance.gauss(0, 0.065), 0.065)) > 0.95
    assert sure / 400 <= 0.05


def test_the_cap_is_twice_what_nine_of_ten_stay_below() -> None:
    assert twice_p90([]) is None
    assert twice_p90([3.0]) == 6.0
    assert twice_p90([float(n) for n in range(1, 101)]) == 182.0


def test_what_looks_better_is_promising() -> None:
    assert promising(replayed(0.02))
    assert not promising(replayed(-0.02))
    assert promising(replayed(-0.02), margin=0.05)
    assert not promising(replayed(0.02, error=0.0))
