"""What tools gave, as sentences, where no model is there to word them."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

_FAILED = "Error: "


def spoken(tool: str, result: str) -> str:
    """The result in words; what isn't in the tool's usual form is passed on as it is."""
    if result.startswith(_FAILED):
        return f"That didn't work: {result.removeprefix(_FAILED)}"
    say = _SAYS.get(tool)
    if say is None:
        return result
    try:
        return say(json.loads(result))
    except (ValueError, KeyError, TypeError, AttributeError):
        return result


def _date_and_time(found: Mapping[str, Any]) -> str:
    then = datetime.fromisoformat(found["iso"])
    week = found["iso_week"].split("-W")[-1].lstrip("0")
    return f"{then:%A}, {then.day} {then:%B %Y}, {then:%H:%M} ({found['timezone']}), week {week}."


def _recall(found: Sequence[Mapping[str, Any]]) -> str:
    return "\n\n".join(f"{m['text']}\n(from memory {m['ref']})" for m in found)


def _run_history(found: Mapping[str, Any]) -> str:
    runs = found["runs"]
    lines = [f"From {_day(found['from'])} to {_day(found['until'])} (UTC):"]
    lines += _learned(found)
    lines.append(f"- Runs: {runs['count']}{_success(runs)}; cost {_cost(runs)}.")
    failed = sum(n for agent in found["by_agent"] for n in agent["errors"].values())
    lines.append(f"- Failed: {failed or 'none'}.")
    for agent in found["by_agent"]:
        errors = ", ".join(f"{kind} ({n})" for kind, n in agent["errors"].items())
        name = f"{agent['agent'] or 'commands and jobs'} v{agent['version']}"
        lines.append(f"  - {name}: {agent['count']}" + (f"; errors: {errors}" if errors else ""))
    return "\n".join(lines)


def _learned(found: Mapping[str, Any]) -> list[str]:
    lines = [
        f"- Learned: {lesson['title']} ({lesson['ref']}, {lesson['status'].replace('_', ' ')})"
        for lesson in found["lessons"]
    ]
    lines += [f"- Remembered: {memory['text']} ({memory['ref']})" for memory in found["memories"]]
    return lines or ["- Nothing new was learned."]


def _success(runs: Mapping[str, Any]) -> str:
    if runs["success"] is None:
        return ", none of them rated yet"
    return f", {runs['success']:.0%} successful of the {runs['scored']} that were rated"


def _cost(runs: Mapping[str, Any]) -> str:
    unknown = f", and {runs['cost_unknown']} of unknown cost" if runs["cost_unknown"] else ""
    return f"${runs['cost_usd']:.4f}{unknown}"


def _day(iso: str) -> str:
    return f"{datetime.fromisoformat(iso):%Y-%m-%d %H:%M}"


_SAYS: Mapping[str, Callable[[Any], str]] = {
    "date_and_time": _date_and_time,
    "recall": _recall,
    "run_history": _run_history,
}
