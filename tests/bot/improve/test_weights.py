"""Nobody decides a trial alone, unless they are alone."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from bot.improve.weights import FREE, Weights

people = st.lists(st.sampled_from("abcdef"), max_size=120)


def given_to(names: str | list[str]) -> list[float]:
    weights = Weights()
    return [weights.next(name) for name in names]


def test_one_of_one_counts_in_full() -> None:
    assert given_to("a" * 300) == [1.0] * 300
    assert given_to("ab" * 100) == [1.0] * 200


def test_people_who_write_alike_all_count_in_full() -> None:
    assert sum(given_to("abcdef" * 50)) == 300


def test_one_of_six_who_floods_has_a_third() -> None:
    names = ("abcdef" + "a" * 54) * 10
    had: Counter[str] = Counter()
    for name, weight in zip(names, given_to(names), strict=True):
        had[name] += weight  # type: ignore[assignment]
    assert had["a"] / sum(had.values()) <= 1 / 3 + 1e-9
    assert sum(had.values()) - had["a"] == 50


@given(people)
def test_a_weight_is_of_what_was_before(names: list[str]) -> None:
    whole = given_to(names)
    assert all(0 <= weight <= 1 for weight in whole)
    for cut in range(0, len(names), 7):
        assert given_to(names[:cut]) == whole[:cut]


@given(people)
def test_everyone_counts_in_full_at_first(names: list[str]) -> None:
    seen: Counter[str] = Counter()
    for name, weight in zip(names, given_to(names), strict=True):
        seen[name] += 1
        if seen[name] <= FREE:
            assert weight == 1.0
