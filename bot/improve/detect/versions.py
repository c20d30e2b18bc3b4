"""What a detector keeps for each version of each agent, in bounds; pure."""

from collections.abc import Callable, Mapping
from typing import Any

_WEEK = 7 * 86_400_000
_VERSIONS, _AGENTS = 4, 200
"""Kept of an agent, and agents: those that were at work last. What fails its trial is a version
too, and may not push out the one in use."""


def slot(
    known: dict[str, Any],
    agent: str,
    version: int,
    asked_at: int,
    fresh: Callable[[Mapping[str, Any] | None], dict[str, Any]],
) -> dict[str, Any]:
    """The numbers of a run's version. A new one is made by `fresh` from those of the version
    that was at work last. "first" is when its first run was asked (ms)."""
    # What was at work last stands at the end: the others are forgotten first.
    versions: dict[str, Any] | None = known.pop(agent, None)
    known[agent] = versions = versions or {}
    name = str(version)
    at: dict[str, Any] | None = versions.pop(name, None)
    if at is None:
        last = versions[next(reversed(versions))] if versions else None
        at = {**fresh(last), "first": asked_at}
        _leave(known, _AGENTS)
        _leave(versions, _VERSIONS - 1)
    versions[name] = at
    return at


def _leave(table: dict[str, Any], most: int) -> None:
    while len(table) > most:
        del table[next(iter(table))]


def week_of(usd: float, since: int, until: int) -> float:
    """US dollars a week, of what was spent between two times (ms); a day at the least."""
    return usd * _WEEK / max(until - since, _WEEK / 7)
