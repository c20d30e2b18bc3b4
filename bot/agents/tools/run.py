"""Calling a tool: what the model sent is checked, what the tool does is bounded."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence

import structlog
from pydantic import BaseModel, ValidationError

from bot.agents.tools import TOOLS
from bot.agents.tools.base import Tool, ToolContext
from bot.errors import RatchetError, ToolError

Calling = Callable[[Tool, ToolContext, str], Awaitable[str]]
"""(tool, context, the model's raw arguments) → its result as text; raises ToolError."""

_log = structlog.get_logger(__name__)
_BY_NAME = {tool.name: tool for tool in TOOLS}
_MAX_ARGUMENTS = 100_000


def granted(names: Sequence[str]) -> tuple[Tool, ...]:
    """The tools of these names; a name there is no tool for is logged and grants nothing."""
    unknown = [name for name in names if name not in _BY_NAME]
    if unknown:
        _log.warning("unknown tools", names=unknown)
    return tuple(_BY_NAME[name] for name in dict.fromkeys(names) if name in _BY_NAME)


async def call(tool: Tool, ctx: ToolContext, raw_arguments: str) -> str:
    """The tool's result as text, no longer than it may be.

    Raises ToolError with words for the model, whatever went wrong; never anything else.
    """
    arguments = checked(tool, raw_arguments)
    given = {name: getattr(arguments, name) for name in type(arguments).model_fields}
    limit = asyncio.timeout(tool.seconds)
    try:
        async with limit:
            result = await tool.run(ctx, **given)
        return _cut(_text(result), tool.max_chars)
    except ToolError:
        raise
    except RatchetError as error:
        raise ToolError(f"{tool.name} failed: {error.said}") from error
    except Exception as error:
        if limit.expired():
            message = f"{tool.name} took longer than {tool.seconds:g} seconds and was stopped."
            raise ToolError(message) from error
        _log.warning("tool failed", tool=tool.name, run_id=ctx.run_id, exc_info=True)
        raise ToolError(f"{tool.name} failed: {type(error).__name__}.") from error


def checked(tool: Tool, raw: str) -> BaseModel:
    """The arguments as the tool would get them. Raises ToolError with words for the model."""
    if len(raw) > _MAX_ARGUMENTS:
        raise ToolError(f"The arguments are longer than {_MAX_ARGUMENTS} characters.")
    try:
        sent = json.loads(raw) if raw.strip() else {}
    except (ValueError, RecursionError) as error:
        why = str(error) if isinstance(error, ValueError) else "nested too deep"
        raise ToolError(f"The arguments are not valid JSON ({why}). {_expected(tool)}") from error
    if not isinstance(sent, dict):
        raise ToolError(f"The arguments must be one JSON object. {_expected(tool)}")
    try:
        checked: BaseModel = tool.arguments.model_validate(sent)
    except ValidationError as error:
        faults = "; ".join(_fault(dict(e)) for e in error.errors()[:5])
        raise ToolError(f"The arguments don't fit: {faults}. {_expected(tool)}") from error
    return checked


def _fault(error: dict[str, object]) -> str:
    place = error["loc"]
    path = ".".join(map(str, place)) if isinstance(place, tuple) else str(place)
    return f"{path}: {error['msg']}"


def _expected(tool: Tool) -> str:
    properties = tool.spec.parameters.get("properties")
    names = list(properties) if isinstance(properties, dict) else []
    return f"Call {tool.name} with {{{', '.join(names)}}} and try again."


def _text(result: object) -> str:
    if isinstance(result, str):
        return result
    return json.dumps(result, ensure_ascii=False, default=str)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}… cut at {limit} characters"
