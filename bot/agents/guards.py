"""Mistakes that an agent doesn't make twice: advice with the error, and no second try as it was."""

import json
from collections.abc import Sequence

from bot.errors import ToolError
from bot.model.agent import Guard
from bot.model.chat import ToolCall
from bot.model.signature import signature


class Guarding:
    """What one run has been advised so far. It is read from the results, so that a resumed run
    knows what its first attempt was told."""

    def __init__(self, guards: Sequence[Guard]) -> None:
        self._guards = guards
        self._advised: dict[tuple[str, str], str] = {}

    def refusal(self, wanted: ToolCall) -> str:
        """Why this very call isn't made again; "" where it may be."""
        advice = self._advised.get(_call(wanted))
        return (
            f"{wanted.name} was not called: it failed like this before. {advice}" if advice else ""
        )

    def advised(self, wanted: ToolCall, error: ToolError) -> str:
        """The error as the model reads it."""
        said = f"Error: {error}"
        for guard in self._guards:
            if (guard.tool, guard.error) == (wanted.name, error.kind) and guard.signature in (
                "",
                signature(str(error)),
            ):
                return f"{said}\n{_mark(guard)}"
        return said

    def saw(self, wanted: ToolCall, result: str) -> None:
        if not result.startswith("Error: "):
            return
        for guard in self._guards:
            if guard.tool == wanted.name and result.endswith(_mark(guard)):
                self._advised[_call(wanted)] = _mark(guard)


def _mark(guard: Guard) -> str:
    return f"[{guard.id}] {guard.advice}"


def _call(wanted: ToolCall) -> tuple[str, str]:
    """The same for the same arguments, however they are written."""
    try:
        return wanted.name, json.dumps(json.loads(wanted.arguments or "{}"), sort_keys=True)
    except (ValueError, RecursionError):
        return wanted.name, wanted.arguments
