"""The wealth is fair while nothing differs, grows when something does, and never breaks."""

import random
from collections.abc import Callable
from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.improve.eprocess import HARM, MOST_MARGIN, PROMOTE, STAKES, EProcess
from bot.improve.weights import Weights

Bet = tuple[list[float], bool, float, float]

values = st.lists(st.floats(0, 1), min_size=1, max_size=6)
bets = st.lists(
    st.tuples(values, st.booleans(), st.floats(0.01, 0.99), st.floats(0, 1)), max_size=40
)


def after(many: list[Bet], margin: float = 0.0) -> EProcess:
    wealth = EProcess(margin)
    for one in many:
        wealth.bet(*one)
    return wealth


@given(bets, st.floats(0, MOST_MARGIN))
def test_nobody_can_lose_more_than_there_is(many: list[Bet], margin: float) -> None:
    wealth = after(many, margin)
    assert wealth.up > 0
    assert wealth.down > 0
    assert isfinite(wealth.up)
    assert isfinite(wealth.down)


@given(bets)
def test_it_is_the_rule_as_written_down(many: list[Bet]) -> None:
    known, ups = [0.5], [1.0] * len(STAKES)
    for each, candidate, share, weight in many:
        mean = sum(known) / len(known)
        contrast = [(candidate / share - (not candidate) / (1 - share)) * (y - mean) for y in each]
        bet = weight * min(share, 1 - share) * sum(contrast) / len(contrast)
        ups = [up * (1 + stake * bet) for up, stake in zip(ups, STAKES, strict=True)]
        known += each
    assert after(many).up == pytest.approx(sum(ups) / len(ups), rel=1e-6)


@given(bets)
def test_up_and_down_change_places_with_the_arms(many: list[Bet]) -> None:
    turned = [(y, not candidate, 1 - share, weight) for y, candidate, share, weight in many]
    assert after(turned).down == pytest.approx(after(many).up, rel=1e-6)


@given(values, st.floats(0.05, 0.95), bets)
def test_before_the_coin_a_bet_is_worth_nothing(
    y: list[float], share: float, many: list[Bet]
) -> None:
    new, old = after(many), after(many)
    had = new.up, new.down
    new.bet(y, True, share)
    old.bet(y, False, share)
    expected = (
        share * new.up + (1 - share) * old.up,
        share * new.down + (1 - share) * old.down,
    )
    assert expected == pytest.approx(had, rel=1e-9)


@given(bets, st.sampled_from([0.0, 1.0]), values)
def test_where_no_coin_was_tossed_nothing_is_bet(
    many: list[Bet], share: float, y: list[float]
) -> None:
    wealth = after(many)
    before = wealth.up, wealth.down, wealth.bets
    wealth.bet(y, True, share)
    wealth.bet([], True, 0.5)
    assert (wealth.up, wealth.down, wealth.bets) == before


def test_a_margin_forgives_as_much() -> None:
    coin = random.Random(3)
    without, forgiving = EProcess(), EProcess(0.15)
    for _ in range(1500):
        candidate = coin.random() < 0.5
        y = [float(coin.random() < (0.8 if candidate else 0.83))]
        without.bet(y, candidate, 0.5)
        forgiving.bet(y, candidate, 0.5)
    assert without.up < PROMOTE < forgiving.up
    with pytest.raises(ValueError, match="margin"):
        EProcess(0.5)


def test_a_million_to_one_stays_a_number() -> None:
    wealth = EProcess()
    for n in range(20_000):
        wealth.bet([float(n % 2)], n % 2 == 1, 0.5)
    assert isfinite(wealth.up)
    assert 0 < wealth.down < 1e-200


def test_what_it_would_be_without_someone() -> None:
    wealth, other = EProcess(), EProcess()
    for n in range(60):
        person = ("owner", "member", "guest")[n % 3]
        wealth.bet([float(n % 2)], n % 2 == 1, 0.5, 1.0, person)
        other.bet([float(n % 2)], n % 2 == 1, 0.5, float(person != "guest"), person)
    assert set(wealth.people) == {"owner", "member", "guest"}
    assert wealth.up_without("guest") == pytest.approx(other.up)
    assert wealth.up_without("guest", "owner", "member", "nobody") == pytest.approx(1.0)
    assert wealth.up_without(wealth.people[0]) <= wealth.up_without(wealth.people[2])


Series = Callable[[random.Random], list[Bet]]


def reached(series: Series, trials: int, seed: int) -> tuple[float, float]:
    """The parts of the trials that are promoted or rolled back by a look after every bet."""
    chance, ups, downs = random.Random(seed), 0, 0
    for _ in range(trials):
        wealth = EProcess()
        for one in series(chance):
            wealth.bet(*one)
            if (up := wealth.up >= PROMOTE) or wealth.down >= HARM:
                ups, downs = ups + up, downs + (not up)
                break
    return ups / trials, downs / trials


def alone(rate: float, better: float, runs: int) -> Series:
    def series(chance: random.Random) -> list[Bet]:
        made: list[Bet] = []
        for n in range(runs):
            share = 0.1 if n < 20 else 0.5
            candidate = chance.random() < share
            y = float(chance.random() < rate + better * candidate)
            made.append(([y], candidate, share, 1.0))
        return made

    return series


def together(runs: int) -> Series:
    """Six people of whom one writes most, sittings of one to eight runs that turn out alike."""

    def series(chance: random.Random) -> list[Bet]:
        made: list[Bet] = []
        weights = Weights()
        rates = [chance.uniform(0.4, 0.95) for _ in range(6)]
        while sum(len(one[0]) for one in made) < runs:
            person = chance.choices(range(6), (8, 2, 1, 1, 1, 1))[0]
            weight = weights.next(str(person))
            rate = chance.betavariate(rates[person] / 2, (1 - rates[person]) / 2)
            y = [float(chance.random() < rate) for _ in range(chance.choice((1, 1, 2, 3, 5, 8)))]
            made.append((y, chance.random() < 0.5, 0.5, weight))
        return made

    return series


def test_chance_is_seldom_taken_for_better_however_often_one_looks() -> None:
    false, harmed = reached(alone(0.70, 0.0, 150), trials=2000, seed=1)
    assert false <= 0.05
    assert harmed <= 0.20


def test_nor_where_sittings_and_people_are_alike() -> None:
    false, harmed = reached(together(200), trials=2000, seed=2)
    assert false <= 0.05
    assert harmed <= 0.20


def test_what_is_much_better_is_found() -> None:
    found, harmed = reached(alone(0.70, 0.2, 600), trials=100, seed=3)
    assert found >= 0.95
    assert harmed <= 0.03


def test_what_is_much_worse_goes() -> None:
    found, harmed = reached(alone(0.70, -0.2, 400), trials=100, seed=4)
    assert found <= 0.01
    assert harmed >= 0.95
