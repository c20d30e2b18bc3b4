"""Periods as people say them: today, yesterday, 7d."""

import re

from bot.errors import ToolError

HOUR = 3_600_000
DAY = 24 * HOUR
_NAMED = {"week": "7d", "month": "30d", "last week": "7d", "last month": "30d", "day": "24h"}
_LENGTH = re.compile(r"(?:last )?([1-9][0-9]{0,3}) ?(h|hours?|d|days?|w|weeks?)")
_UNITS = {"h": HOUR, "d": DAY, "w": 7 * DAY}
_LONGEST = 366 * DAY


def parse(period: str, now: int) -> tuple[int, int]:
    """[since, until) in ms, UTC; days are UTC days. Raises ToolError for what is no period."""
    words = " ".join(period.lower().split())
    today = now - now % DAY
    if words == "today":
        return today, now + 1
    if words == "yesterday":
        return today - DAY, today
    match = _LENGTH.fullmatch(_NAMED.get(words, words))
    length = int(match[1]) * _UNITS[match[2][0]] if match else 0
    if not 0 < length <= _LONGEST:
        raise ToolError(f"{period!r} is no period: say today, yesterday, 24h, 7d or 4w.")
    return now - length, now + 1
