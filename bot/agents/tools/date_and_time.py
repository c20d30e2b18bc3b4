"""What day and time it is, anywhere."""

import difflib
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field

from bot.agents.tools.base import ToolContext, tool
from bot.errors import ToolError

_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?([0-5]\d))?", re.IGNORECASE)


@tool()
async def date_and_time(
    ctx: ToolContext,
    *,
    timezone: Annotated[
        str, Field(max_length=64), "IANA name such as Europe/Berlin, or an offset such as +02:00."
    ] = "UTC",
    add_days: Annotated[
        int, Field(ge=-36_500, le=36_500), "Days from now; negative for the past."
    ] = 0,
) -> object:
    """The date and time now, or a number of days from now, with weekday and ISO week."""
    zone = _zone(timezone.strip())
    now = datetime.fromtimestamp(ctx.clock.now() // 1000, zone)
    # Added on the wall clock: ten days from nine o'clock is nine o'clock, whatever the season.
    then = now + timedelta(days=add_days)
    year, week, _ = then.isocalendar()
    return {
        "iso": then.isoformat(),
        "weekday": f"{then:%A}",
        "iso_week": f"{year}-W{week:02}",
        "timezone": timezone.strip() or "UTC",
    }


def _zone(name: str) -> tzinfo:
    if name.upper() in ("", "UTC", "Z", "GMT"):
        return UTC
    if match := _OFFSET.fullmatch(name):
        minutes = int(match[2]) * 60 + int(match[3] or 0)
        if minutes <= 14 * 60:
            return timezone(timedelta(minutes=minutes if match[1] == "+" else -minutes))
    known = available_timezones()
    by_folded = {zone.casefold(): zone for zone in known}
    exact = by_folded.get(name.replace(" ", "_").casefold())
    if exact is None:
        near = difflib.get_close_matches(name, known, 3, 0.6)
        near = near or [z for z in sorted(known) if z.split("/")[-1].casefold() == name.casefold()]
        hint = f" Did you mean {', '.join(near[:3])}?" if near else " Use a name as Europe/Berlin."
        raise ToolError(f"There is no time zone {name!r}.{hint}")
    return ZoneInfo(exact)
