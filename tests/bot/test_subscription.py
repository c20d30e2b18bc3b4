"""When a digest is due: at people's own hour, also where clocks are turned."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model.subscription import (
    Cadence,
    Subscription,
    last_due,
    next_due,
    since,
    zone_named,
    zone_of,
)

HOUR = 3_600_000


def wish(cadence: Cadence = "daily", **changes: Any) -> Subscription:
    return Subscription("w", "p", "slack", "U1", cadence, **changes)


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("hour", "now", "due", "began"),
    [
        # Clocks forward on 29 March 2026 in Berlin: that day has 23 hours, and no 02:00.
        (9, "2026-03-29T10:00+02:00", "2026-03-29T09:00+02:00", "2026-03-28T09:00+01:00"),
        (2, "2026-03-29T12:00+02:00", "2026-03-29T03:00+02:00", "2026-03-28T02:00+01:00"),
        # Clocks back on 25 October: that day has 25 hours, and 02:00 twice.
        (9, "2026-10-25T10:00+01:00", "2026-10-25T09:00+01:00", "2026-10-24T09:00+02:00"),
        (2, "2026-10-25T12:00+01:00", "2026-10-25T02:00+02:00", "2026-10-24T02:00+02:00"),
        (9, "2026-07-01T08:59+02:00", "2026-06-30T09:00+02:00", "2026-06-29T09:00+02:00"),
        (0, "2026-07-01T00:00+02:00", "2026-07-01T00:00+02:00", "2026-06-30T00:00+02:00"),
    ],
)
def test_a_day_is_as_long_as_its_clocks_say(hour: int, now: str, due: str, began: str) -> None:
    one = wish(hour=hour, zone="Europe/Berlin")
    assert last_due(one, at(now)) == at(due)
    assert since(one, at(due)) == at(began)


def test_a_week_ends_on_its_day() -> None:
    one = wish("weekly", weekday=4, hour=16, zone="America/New_York")
    now = at("2026-11-27T15:59-05:00")
    assert last_due(one, now) == at("2026-11-20T16:00-05:00")
    assert next_due(one, now) == at("2026-11-27T16:00-05:00")
    assert last_due(one, next_due(one, now)) == next_due(one, now)
    assert since(one, at("2026-11-06T16:00-05:00")) == at("2026-10-30T16:00-04:00")


@given(
    st.sampled_from(["daily", "weekly"]),
    st.integers(0, 6),
    st.integers(0, 23),
    st.sampled_from(
        ["UTC", "Europe/Berlin", "Asia/Kathmandu", "Pacific/Apia", "Australia/Lord_Howe"]
    ),
    st.integers(at("2024-01-01T00:00+00:00"), at("2030-01-01T00:00+00:00")),
)
def test_due_times_surround_now_and_show_the_hour(
    cadence: Cadence, weekday: int, hour: int, zone: str, now: int
) -> None:
    one = wish(cadence, weekday=weekday, hour=hour, zone=zone)
    before, after = last_due(one, now), next_due(one, now)
    most = (24 if cadence == "daily" else 7 * 24) + 1
    assert before <= now < after and after - before <= most * HOUR
    assert since(one, before) < before
    shown = datetime.fromtimestamp(after / 1000, ZoneInfo(zone))
    assert shown.hour == hour or shown.utcoffset() != (shown.replace(hour=hour)).utcoffset()


def test_zones_by_their_names_and_cities() -> None:
    assert zone_named("europe/berlin")[0] == "Europe/Berlin"
    assert zone_named("Berlin")[0] == "Europe/Berlin"
    for word in ("../../etc/passwd", "", "localtime", "Atlantis"):
        assert zone_named(word)[0] == ""
    assert zone_of("Atlantis/Capital") is UTC
