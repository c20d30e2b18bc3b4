"""Taking one change out of an agent while the later ones stay; pure."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bot.model.agent import AgentVersion

_SINGLE = (
    *("specialty", "instructions", "model", "temperature", "limits"),
    *("budget_day", "retire_after_days"),
)
_SETS = ("playbook", "guards", "tools", "workflows")


def reverted(now: AgentVersion, made: AgentVersion, before: AgentVersion) -> AgentVersion | None:
    """`now` without what `made` changed of `before`; None where nothing of it is left. What was
    changed once more since then is someone else's, and stays."""
    undone: dict[str, Any] = {}
    for part in _SINGLE:
        was, became, is_now = (getattr(v, part) for v in (before, made, now))
        if was != became == is_now:
            undone[part] = was
    for part in _SETS:
        was, became, is_now = (getattr(v, part) for v in (before, made, now))
        if (back := _back(is_now, became, was)) != is_now:
            undone[part] = back
    return replace(now, **undone) if undone else None


def _back(now: Sequence[Any], made: Sequence[Any], before: Sequence[Any]) -> tuple[Any, ...]:
    """Without what was added, and with what was taken away, where it stood."""
    added = [one for one in made if one not in before]
    kept = [one for one in now if one not in added]
    for at, one in enumerate(before):
        if one not in made and _key(one) not in map(_key, kept):
            kept.insert(min(at, len(kept)), one)
    return tuple(kept)


def _key(one: Any) -> object:
    """What may stand there once: a name, or an id."""
    return getattr(one, "id", one)
