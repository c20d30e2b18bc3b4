"""A digest that someone wants at an hour of theirs, and when it is due; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

Cadence = Literal["daily", "weekly"]
DAYS: Mapping[Cadence, int] = {"daily": 1, "weekly": 7}
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

LATE_MS = 12 * 3_600_000
"""What is later than this is not sent any more: the next one tells of it as well."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """One digest of a person's to one place. `hour` and `weekday` (0 is Monday; a daily one has no
    use for it) are of the time `zone`. `always` wants it also when nothing happened. `sent_at` is
    when the last one was due that is settled, `created_at` when it was last asked for; both ms,
    UTC."""

    workspace: str
    person: str
    channel: str
    place: str
    cadence: Cadence
    address: Mapping[str, object] = field(default_factory=dict)
    weekday: int = 0
    hour: int = 9
    zone: str = "UTC"
    always: bool = False
    sent_at: int = 0
    created_at: int = 0


def last_due(one: Subscription, now: int) -> int:
    """The last instant (ms) at or before `now` that a digest is due at."""
    return next(at for back in range(9) if (at := _due_on(one, now, -back)) and at <= now)


def next_due(one: Subscription, now: int) -> int:
    return next(at for ahead in range(9) if (at := _due_on(one, now, ahead)) and at > now)


def since(one: Subscription, due: int) -> int:
    """Where the period that ends at `due` begins: whole local days, however long they are."""
    day = local(one.zone, due).date() - timedelta(days=DAYS[one.cadence])
    return _at(one, day)


def local(zone: str, ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, zone_of(zone))


def zone_of(name: str) -> tzinfo:
    """UTC where this machine does not know the zone, as another node's may have."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return UTC


def zone_named(word: str) -> tuple[str, list[str]]:
    """(the zone that is meant or "", the known names): by its name or, where one alone has it, by
    its city; case and underscores make no difference."""
    known = sorted(available_timezones() - {"localtime", "Factory"})
    wanted = word.casefold().replace(" ", "_")
    for name in known:
        if name.casefold() == wanted:
            return name, known
    cities = [name for name in known if name.casefold().rpartition("/")[2] == wanted]
    return (cities[0] if len(cities) == 1 else ""), known


def _due_on(one: Subscription, now: int, days: int) -> int:
    """When it is due on the local day that many days from now; 0 where it is not."""
    day = local(one.zone, now).date() + timedelta(days=days)
    if one.cadence == "weekly" and day.weekday() != one.weekday:
        return 0
    return _at(one, day)


def _at(one: Subscription, day: date) -> int:
    """An hour that the clocks skip is the one after it, one that they repeat its first."""
    at = datetime.combine(day, time(one.hour), zone_of(one.zone))
    return round(at.timestamp() * 1000)
