"""Who asked again within minutes, in any pages."""

from collections.abc import Sequence
from typing import Any

import pytest

from bot.improve.detect import follow_ups
from bot.improve.detect.follow_ups import Asked, FollowUp
from tests.bot.improve.detect import samples

_PLACE = {"conversation": "c", "person": "p", "y": None}


def closed(number: int, **changes: Any) -> Asked:
    return samples.narrowed(Asked, samples.closed(number, **changes))


def _found(runs: Sequence[Asked], size: int = 100) -> list[FollowUp]:
    known: dict[str, Any] = {}
    pages = [runs[start : start + size] for start in range(0, len(runs), size)]
    return [one for page in pages for one in follow_ups.fold(known, page)]


@pytest.mark.parametrize("size", [1, 2, 100])
def test_the_next_request_of_the_same_person_follows(size: int) -> None:
    runs = [
        closed(0, **_PLACE),
        closed(1, conversation="c", person="another", y=None),
        closed(2, **_PLACE),
        closed(3, **{**_PLACE, "y": 0.0}),
        closed(4, **_PLACE),
        closed(60, **_PLACE),
    ]
    expected = [FollowUp(runs[0].id, runs[2].id), FollowUp(runs[2].id, runs[3].id)]
    assert _found(runs, size) == expected


def test_a_failed_one_and_one_asked_meanwhile_are_not_followed() -> None:
    slow = closed(0, **_PLACE)._replace(finished_at=closed(3).created_at)
    assert _found([closed(0, **_PLACE, status="failed"), closed(1, **_PLACE)]) == []
    assert _found([slow, closed(1, **_PLACE)]) == []


def test_it_remembers_those_of_the_last_minutes_only() -> None:
    known: dict[str, Any] = {}
    follow_ups.fold(known, [closed(n, y=None) for n in range(1_000)])
    assert len(known) <= 31
