"""A sliding window per key: so many, then one notice, then silence until it is calm again."""

from bot.pace import Pace
from tests.conftest import HeldClock


def test_so_many_then_one_notice_then_silence(clock: HeldClock) -> None:
    pace = Pace(3, 60, clock)
    assert [pace.allow("a") for _ in range(6)] == ["yes"] * 3 + ["notice", "no", "no"]
    assert pace.allow("b") == "yes"


def test_the_window_slides(clock: HeldClock) -> None:
    pace = Pace(2, 60, clock)
    assert pace.allow("a") == "yes"
    clock.advance(40)
    assert [pace.allow("a"), pace.allow("a")] == ["yes", "notice"]
    clock.advance(20)
    assert [pace.allow("a"), pace.allow("a")] == ["yes", "no"], "told of it less than 60 s ago"
    clock.advance(61)
    assert [pace.allow("a") for _ in range(3)] == ["yes", "yes", "notice"]


def test_what_is_delivered_again_counts_once_and_is_judged_alike(clock: HeldClock) -> None:
    pace = Pace(1, 60, clock)
    assert [pace.allow("a", "e1") for _ in range(3)] == ["yes"] * 3
    assert [pace.allow("a", "e2") for _ in range(3)] == ["notice", "no", "no"]


def test_memory_is_bounded_and_the_busiest_are_remembered(clock: HeldClock) -> None:
    pace = Pace(1, 60, clock)
    assert pace.allow("loop") == "yes"
    for number in range(20_000):
        pace.allow(number, str(number))
        if number % 1000 == 0:
            assert pace.allow("loop") != "yes"
    assert len(pace._keys) <= 5_000 and len(pace._events) <= 10_000
