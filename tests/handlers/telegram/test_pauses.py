"""Pauses that Telegram asks for, and what is left of a group's share for answers that grow."""

from handlers.telegram.pauses import Pauses
from tests.conftest import HeldClock

TEAM, OTHER = -500, -600


def test_one_chat_that_must_wait_waits_alone(clock: HeldClock) -> None:
    pauses = Pauses(clock)
    pauses.throttled(TEAM, 30)
    assert (pauses.rest(str(TEAM)), pauses.rest(OTHER)) == (30, 0)
    clock.advance(30)
    assert pauses.rest(TEAM) == 0


def test_a_second_one_at_the_same_time_means_the_bot(clock: HeldClock) -> None:
    pauses = Pauses(clock)
    pauses.throttled(TEAM, 30)
    pauses.throttled(OTHER, 5)
    assert (pauses.rest(7), pauses.rest(TEAM)) == (5, 30)
    clock.advance(5)
    assert pauses.rest(7) == 0


def test_what_grows_leaves_room_for_answers(clock: HeldClock) -> None:
    pauses, changes = Pauses(clock), 0
    for _ in range(600):
        if pauses.until_change(TEAM) <= 0:
            pauses.spoke(TEAM)
            changes += 1
        clock.advance(0.1)
    assert 10 <= changes <= 14, "of the twenty that a group may be told in a minute"
    assert pauses.until_change(OTHER) <= 0


def test_an_answer_of_another_topic_counts_for_the_group(clock: HeldClock) -> None:
    pauses = Pauses(clock)
    pauses.spoke(TEAM)
    assert pauses.until_change(TEAM) == 3.5
