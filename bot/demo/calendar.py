"""The weeks that are played: how many requests in each, and when each is asked; pure."""

from collections.abc import Iterator
from dataclasses import dataclass

DAY_MS = 86_400_000
WEEK_MS = 7 * DAY_MS
WORKDAYS = 5
_MONDAY = 4 * DAY_MS
"""The first Monday after the epoch, which was a Thursday."""
_OPENS_MS, _OPEN_MS = 9 * 3_600_000, 8 * 3_600_000
_PER_SECOND = 12
_LEAST, _MOST = 2, 60
_FEWEST = 5


@dataclass(frozen=True, slots=True)
class Calendar:
    """`begins` is a Monday, ms UTC; `per_day` requests are asked on each workday."""

    begins: int
    weeks: int
    per_day: int

    @property
    def requests(self) -> int:
        return self.weeks * WORKDAYS * self.per_day

    @property
    def edges(self) -> list[int]:
        """Where each week begins and the last one ends, ms."""
        return [self.begins + week * WEEK_MS for week in range(self.weeks + 1)]

    def day(self, week: int, day: int, per_day: int) -> Iterator[int]:
        """When the requests of a day are asked, ms."""
        opens = self.begins + week * WEEK_MS + day * DAY_MS + _OPENS_MS
        return (opens + round(at * _OPEN_MS / per_day) for at in range(per_day))


def planned(now: int, weeks: int, seconds: float, requests: int = 0) -> Calendar:
    """The last whole weeks before `now`: as many requests as fit into so many seconds on a usual
    machine, or `requests` where that is given."""
    monday = now - (now - _MONDAY) % WEEK_MS
    per_day = round((requests or seconds * _PER_SECOND) / (weeks * WORKDAYS))
    return Calendar(monday - weeks * WEEK_MS, weeks, min(max(per_day, _LEAST), _MOST))


def fitting(per_day: int, each: float, left: float, days: int) -> int:
    """How many requests a day fit into the seconds that are left, where each takes so many; never
    more than `per_day`, and never so few that nothing happens."""
    fits = int(left / each / days) if each > 0 and days > 0 else per_day
    return min(per_day, max(fits, _FEWEST))
