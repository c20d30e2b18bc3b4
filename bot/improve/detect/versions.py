"""What a detector keeps for each version of each agent, in bounds; pure."""

from collections.abc import Callable, Mapping
from typing import Any

from bot.ports.stores import Closed

_WEEK = 7 * 86_400_000
_VERSIONS, _AGENTS = 4, 200
"""Kept of an agent, the highest; and agents, the last ones that were at work."""


def slot(
    known: dict[str, Any], run: Closed, fresh: Callable[[Mapping[str, Any] | None], dict[str, Any]]
) -> dict[str, Any]:
    """The numbers of the run's version. A new one is made by `fresh` from those of the version
    that was at work last. "first" is when its first run was asked (ms)."""
    versions: dict[str, Any] | None = known.get(run.agent)
    if versions is None:
        versions = known[run.agent] = {}
        while len(known) > _AGENTS:
            del known[next(iter(known))]
    name = str(run.version)
    at: dict[str, Any] | None = versions.get(name)
    if at is None:
        last = versions.get(max(versions, key=int)) if versions else None
        at = versions[name] = {**fresh(last), "first": run.created_at}
        if len(versions) > _VERSIONS:
            del versions[min(versions, key=int)]
    return at


def week_of(usd: float, since: int, until: int) -> float:
    """US dollars a week, of what was spent between two times (ms); a day at the least."""
    return usd * _WEEK / max(until - since, _WEEK / 7)
