"""The hidden truth: effects, drift and noise are what the world's file says."""

from dataclasses import replace
from statistics import correlation, fmean

from bot.llm.simulated.changes import Class
from bot.llm.simulated.people import adversary, reaction
from bot.llm.simulated.truth import Prompt, Truth
from bot.llm.simulated.world import (
    Adversaries,
    Changes,
    Drift,
    Intervention,
    Kind,
    Spread,
    Votes,
    World,
)

_ONLY_GOOD = Changes(
    placebo=Kind(0.0), harmful=Kind(0.0), good=Kind(1.0, Spread(0.1), replay=Spread(0.05))
)
_ONLY_HARMFUL = Changes(placebo=Kind(0.0), good=Kind(0.0), harmful=Kind(1.0, Spread(-0.1)))
_WITH_FIRST = Prompt(frozenset({1}), lessons=1)


def _chance(world: World, prompt: Prompt, at: int = 0, replayed: bool = False) -> float:
    truth = Truth(world, 1)
    return round(truth.chance(truth.asked(at), prompt, at, replayed), 6)


def test_a_change_adds_its_effect_and_on_replays_its_bias() -> None:
    world = World(changes=_ONLY_GOOD)

    assert _chance(world, Prompt()) == 0.7
    assert _chance(world, _WITH_FIRST) == 0.8
    assert _chance(world, _WITH_FIRST, replayed=True) == 0.85


def test_what_the_world_did_not_propose_changes_nothing_but_its_tokens() -> None:
    truth = Truth(World(), 1)
    strange = Prompt(frozenset({999}), lessons=1)

    assert truth.chance(truth.asked(0), strange, 0) == truth.chance(truth.asked(0), Prompt(), 0)
    assert truth.serve(0, strange, 0).tokens_in != truth.serve(0, Prompt(), 0).tokens_in


def test_chances_stay_between_floor_and_ceiling() -> None:
    many = Prompt(frozenset(range(1, 20)), lessons=19)

    assert _chance(World(changes=_ONLY_GOOD), many) == 0.95
    assert _chance(World(changes=_ONLY_HARMFUL), many) == 0.05


def test_each_change_makes_a_run_dearer() -> None:
    truth = Truth(World(), 3)
    plain = fmean(truth.serve(n, Prompt(), n).tokens_in for n in range(3000))
    taught = fmean(
        truth.serve(n, Prompt(frozenset({1, 2}), lessons=2), n).tokens_in for n in range(3000)
    )

    assert 1.04 < taught / plain < 1.08


def test_drift_goes_as_it_says() -> None:
    def at(drift: Drift, *runs: int) -> list[float]:
        return [_chance(World(drift=drift), Prompt(), run) for run in runs]

    assert at(Drift("step", -0.2, at=100), 99, 100) == [0.7, 0.5]
    assert at(Drift("linear", -0.2, at=100, until=200), 100, 150, 300) == [0.7, 0.6, 0.5]
    assert at(Drift("periodic", 0.1, period=400), 0, 100, 300) == [0.7, 0.8, 0.6]


def test_an_intervention_lasts_as_long_as_it_says() -> None:
    world = World(interventions=(Intervention(at=10, until=20, success=-0.3),))

    assert [_chance(world, Prompt(), run) for run in (9, 10, 19, 20)] == [0.7, 0.4, 0.4, 0.7]


def test_two_versions_success_on_one_request_correlates_as_said() -> None:
    world = World(changes=Changes(placebo=Kind(1.0), harmful=Kind(0.0), good=Kind(0.0)))
    truth = Truth(world, 5)
    pairs = [
        (truth.serve(n, Prompt(), n).good, truth.serve(n, _WITH_FIRST, n, True).good)
        for n in range(6000)
    ]

    assert 0.36 < correlation(*zip(*pairs, strict=True)) < 0.44


def test_the_same_seed_gives_the_same_world_and_another_seed_another() -> None:
    def drawn(seed: int) -> list[object]:
        truth = Truth(World(), seed)
        changes = [truth.change(n) for n in range(1, 10)]
        return [changes, [truth.serve(n, _WITH_FIRST, n) for n in range(50)]]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_people_rate_as_many_answers_as_said_and_bad_ones_more_often() -> None:
    truth = Truth(World(feedback=Votes(coverage=0.3, flipped=0.0, negative_lean=2.0)), 2)
    served = [truth.serve(n, Prompt(), n) for n in range(6000)]
    votes = [reaction(truth, one).vote for one in served]
    rated = {
        good: fmean(vote != 0 for one, vote in zip(served, votes, strict=True) if one.good is good)
        for good in (True, False)
    }

    assert 0.28 < fmean(vote != 0 for vote in votes) < 0.32
    assert 1.8 < rated[False] / rated[True] < 2.2
    assert all(vote in (0, 1 if one.good else -1) for one, vote in zip(served, votes, strict=True))


def test_who_is_paid_for_a_harmful_change_rates_it_as_good() -> None:
    world = World(changes=_ONLY_HARMFUL, adversaries=Adversaries(0.25, against=True))
    truth = Truth(world, 2)
    theirs = [n for n in range(400) if adversary(truth, truth.asked(n).person)]

    assert sum(adversary(truth, person) for person in range(12)) == 3
    assert {reaction(truth, truth.serve(n, _WITH_FIRST, n)).vote for n in theirs} == {1}
    assert {reaction(truth, truth.serve(n, Prompt(), n)).vote for n in theirs} == {-1}


def test_ratings_come_later_and_checks_never_err_where_the_world_says_so() -> None:
    world = replace(World(), feedback=Votes(delay=20.0, checks=0.5))
    truth = Truth(world, 2)
    served = [truth.serve(n, Prompt(), n) for n in range(4000)]
    all_of_them = [reaction(truth, one) for one in served]
    checks = [
        (one.check, was.good) for one, was in zip(all_of_them, served, strict=True) if one.check
    ]

    assert 18 < fmean(one.after for one in all_of_them) < 22
    assert 0.47 < fmean(one.check is not None for one in all_of_them) < 0.53
    assert all(good for _, good in checks)


def test_the_mix_is_as_said() -> None:
    truth = Truth(World(), 4)
    drawn = [truth.change(n) for n in range(1, 2000)]

    assert 0.47 < fmean(c.kind is Class.PLACEBO for c in drawn) < 0.53
    assert all(c.success > 0 for c in drawn if c.kind is Class.GOOD)
    assert all(c.success < 0 for c in drawn if c.kind is Class.HARMFUL)
    assert not any(c.success for c in drawn if c.kind is Class.PLACEBO)
