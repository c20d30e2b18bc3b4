"""What is believed of a change by what was seen of it, and of all changes."""

import random

import pytest

from bot.improve.verdicts.belief import better, leaning, pooled, worth
from bot.improve.verdicts.bias import BIASES, WORTH, Compared, learned
from bot.improve.verdicts.estimate import Estimate, Live, estimate
from bot.improve.verdicts.gate import promising
from bot.improve.verdicts.sittings import sittings, weigh
from bot.model.trial import Replayed
from tests.bot.improve.verdicts.trials import replayed, runs

GOOD = Live(Estimate(0.1, 0.08, (0.7, 0.8), (50, 50)))
SURE = Estimate(0.05, 0.001, (0.7, 0.75), (5000, 5000))


def test_replay_and_trial_add_up() -> None:
    alone, both = better(GOOD, None), better(GOOD, replayed(0.1))
    assert WORTH / 2 < alone < both < 1
    assert better(GOOD, replayed(0.1, by="unheard")) < both
    assert leaning(Live(), None) == 0.5
    assert leaning(Live(), replayed(0.1, error=0.0)) == 0.5


def test_before_anything_is_seen_half_of_what_does_something_is_better() -> None:
    assert better(Live(), None) == pytest.approx(WORTH / 2)
    # Not to be worse is what most changes manage.
    assert better(Live(), None, margin=0.05) > WORTH


def test_a_judge_is_believed_once_however_often_it_scores() -> None:
    twice = pooled(Live(judged=SURE), replayed(0.05, error=0.001, by="judge"))
    once = pooled(Live(judged=SURE), None)
    assert once and twice and twice[1] == pytest.approx(once[1], rel=0.01)
    assert better(Live(judged=SURE), None) < better(Live(people=SURE), None)


def test_a_replay_that_is_off_for_this_change_is_corrected_by_what_a_judge_sees_live() -> None:
    nothing = Estimate(0.0, 0.05, (0.7, 0.7), (100, 100))
    praised = replayed(0.12, error=0.03, by="judge")
    assert better(Live(judged=nothing), praised) < WORTH < better(Live(), praised)


def test_what_replay_promised_too_often_is_taken_off() -> None:
    default = BIASES["similarity"]
    fair = [Compared(0.12, 0.06, 0.06, 0.08)] * 60
    vain = [Compared(0.12, 0.06, 0.0, 0.08)] * 60
    assert learned(default, []).sd == pytest.approx(default.sd)
    assert abs(learned(default, fair).mean) < 0.02
    bias = learned(default, vain)
    assert bias.mean > 0.035
    assert bias.sd < default.sd
    known = Replayed(60, 0.15, 0.06, "similarity", bias=(bias.mean, bias.sd))
    assert leaning(Live(), known) < leaning(Live(), replayed(0.15, by="similarity"))


def test_how_many_changes_do_anything_is_learned_from_those_there_were() -> None:
    chance = random.Random(3)
    vain = [(chance.gauss(0, 0.05), 0.05**2) for _ in range(40)]
    mighty = [(chance.gauss(0, 0.15), 0.05**2) for _ in range(40)]
    assert worth([]) == WORTH
    assert worth(vain) < 0.35 < WORTH < 0.7 < worth(mighty)


def test_where_hardly_anything_works_more_is_asked_of_the_next() -> None:
    promised = replayed(0.15, error=0.04)
    wary = Replayed(60, 0.15, 0.04, "check", worth=0.1)
    assert better(GOOD, wary) < better(GOOD, promised) - 0.1


def test_without_a_difference_it_is_seldom_sure() -> None:
    chance, sure = random.Random(5), 0
    for seed in range(400):
        live = estimate(
            list(
                weigh(
                    sittings(runs(60, (0.7, 0.7), seed=seed)),
                    lambda run: run.y,
                )
            )
        )
        sure += better(Live(live), replayed(chance.gauss(0, 0.065), 0.065)) > 0.75
    assert sure / 400 <= 0.02


def test_what_looks_better_is_promising() -> None:
    assert promising(replayed(0.02))
    assert not promising(replayed(-0.02))
    assert promising(replayed(-0.02), margin=0.05)
    assert not promising(replayed(0.02, error=0.0))
