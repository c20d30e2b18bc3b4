"""The clock's time in any zone, and words for a zone there isn't."""

import json
from typing import Any

import pytest

from bot.agents.tools.base import ToolContext
from bot.agents.tools.date_and_time import date_and_time
from bot.agents.tools.run import call
from bot.errors import ToolError
from tests.bot.agents.tools.house import bare
from tests.conftest import HeldClock

# 2026-03-28 12:00:05 UTC, a Saturday; the next night Berlin's clocks go forward.
NOON = 1_774_699_205_000


@pytest.fixture
def ctx() -> ToolContext:
    return bare(HeldClock(NOON))


async def ask(ctx: ToolContext, **arguments: Any) -> dict[str, str]:
    answer = json.loads(await call(date_and_time, ctx, json.dumps(arguments)))
    assert isinstance(answer, dict)
    return answer


async def test_utc_is_the_default(ctx: ToolContext) -> None:
    assert await ask(ctx) == {
        "iso": "2026-03-28T12:00:05+00:00",
        "weekday": "Saturday",
        "iso_week": "2026-W13",
        "timezone": "UTC",
    }


@pytest.mark.parametrize(
    ("zone", "iso"),
    [
        ("Europe/Berlin", "2026-03-28T13:00:05+01:00"),
        ("europe/berlin", "2026-03-28T13:00:05+01:00"),
        ("America/New York", "2026-03-28T08:00:05-04:00"),
        ("Asia/Kolkata", "2026-03-28T17:30:05+05:30"),
        ("+02:00", "2026-03-28T14:00:05+02:00"),
        ("UTC-0330", "2026-03-28T08:30:05-03:30"),
        ("", "2026-03-28T12:00:05+00:00"),
    ],
)
async def test_any_zone(ctx: ToolContext, zone: str, iso: str) -> None:
    assert (await ask(ctx, timezone=zone))["iso"] == iso


async def test_days_ahead_keep_the_hour_over_a_change_of_clocks(ctx: ToolContext) -> None:
    assert (await ask(ctx, timezone="Europe/Berlin", add_days=1))["iso"] == (
        "2026-03-29T13:00:05+02:00"
    )
    assert (await ask(ctx, add_days=-87))["weekday"] == "Wednesday"


@pytest.mark.parametrize(
    "zone", ["Europe/Berln", "Berlin", "../../etc/passwd", "/etc", "+99", "\0"]
)
async def test_an_unknown_zone_gets_the_closest_or_an_example(ctx: ToolContext, zone: str) -> None:
    with pytest.raises(ToolError) as raised:
        await ask(ctx, timezone=zone)
    assert "Europe/Berlin" in str(raised.value)
