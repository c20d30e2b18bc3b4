"""The words after /digest: what is wanted, how often, when and where; pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from bot.model.subscription import WEEKDAYS, Cadence, zone_named
from bot.model.words import one_line
from commands.parsing import closest

_HOUR = re.compile(r"(\d{1,2})(?::?(\d\d))?(am|pm|h)?\Z", re.ASCII)
_DOING = ("daily", "weekly", "now", "off")
_JOINED = ("on", "at", "zone")


@dataclass(frozen=True, slots=True)
class Wish:
    """`where` is "" where it was not said; so are `cadence` and `zone`."""

    doing: Literal["", "on", "off", "now"] = ""
    cadence: Cadence | Literal[""] = ""
    weekday: int = 0
    hour: int = 9
    zone: str = ""
    where: Literal["", "here", "me"] = ""
    always: bool = False


def read(args: str) -> Wish:
    """Raises ValueError with what is wrong, as it is told."""
    words = iter(args.split())
    wish = Wish()
    for word in words:
        wish = _with(wish, word, words)
    if not wish.doing and wish.cadence:
        wish = replace(wish, doing="on")
    if not wish.doing and args.strip():
        raise ValueError("Say daily, weekly, now or off.")
    return wish


def _with(wish: Wish, word: str, following: Iterator[str]) -> Wish:
    match plain := word.lower().strip(","):
        case "daily" | "weekly":
            return replace(wish, cadence=plain)
        case "off" | "now":
            return replace(wish, doing=plain)
        case "here" | "me":
            return replace(wish, where=plain)
        case "always":
            return replace(wish, always=True)
        case "at":
            return replace(wish, hour=_hour(next(following, "")))
        case "on":
            return replace(wish, weekday=_weekday(next(following, "")))
        case "zone":
            return replace(wish, zone=_zone(next(following, "")))
        case _ if "/" in plain or plain == "utc":
            return replace(wish, zone=_zone(word))
    raise ValueError(f"{one_line(word, 20)} says nothing here.{closest(plain, _known())}")


def _known() -> tuple[str, ...]:
    return (*_DOING, *_JOINED, "here", "me", "always")


def _hour(word: str) -> int:
    typed = _HOUR.match(word.lower())
    if typed is None:
        raise ValueError("Say a whole hour after `at`, from 0 to 23.")
    hour, half = int(typed[1]), typed[3]
    if half in ("am", "pm"):
        if not 1 <= hour <= 12:
            raise ValueError("Say a whole hour after `at`, from 0 to 23.")
        hour = hour % 12 + (12 if half == "pm" else 0)
    if hour > 23 or typed[2] not in (None, "00"):
        raise ValueError("Say a whole hour after `at`, from 0 to 23.")
    return hour


def _weekday(word: str) -> int:
    plain = word.lower().strip(",").removesuffix("s")
    found = [n for n, day in enumerate(WEEKDAYS) if len(plain) > 1 and day.startswith(plain)]
    if len(found) != 1:
        raise ValueError(f"Say a day after `on`.{closest(plain, WEEKDAYS)}")
    return found[0]


def _zone(word: str) -> str:
    found, known = zone_named(word.strip(",."))
    if not found:
        near = closest(word, [*known, *(name.rpartition("/")[2] for name in known)])
        raise ValueError(
            f"I know no time zone {one_line(word, 40) or 'without a name'}.{near} "
            "Zones are called like Europe/Berlin."
        )
    return found
