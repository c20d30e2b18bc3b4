"""What a tool is: a typed function with limits, and what it is given to work with."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, get_type_hints

from pydantic import Field, create_model

from bot.files.making import Making
from bot.memory import MemoryBank
from bot.model.chat import ToolSpec
from bot.ports.clock import Clock
from bot.ports.stores import Metrics, Proposals, Runs


@dataclass(frozen=True, slots=True)
class ToolContext:
    """Who asks, and what the tool may use. `call_id` is unique to this call of this run, so that
    a repeated call can be known."""

    workspace: str
    person: str
    agent: str
    run_id: str
    call_id: str
    conversation: str
    clock: Clock
    memory: MemoryBank
    runs: Runs
    metrics: Metrics
    proposals: Proposals
    http_allow: tuple[str, ...]
    making: Making


@dataclass(frozen=True, slots=True)
class Tool:
    """`run` takes the context and the validated arguments, and returns JSON values or text.

    A call that takes longer than `seconds` is stopped; a result longer than `max_chars` is cut,
    and says so.
    """

    spec: ToolSpec
    arguments: Any
    run: Callable[..., Awaitable[object]]
    seconds: float
    max_chars: int

    @property
    def name(self) -> str:
        return self.spec.name


def tool(*, seconds: float = 15.0, max_chars: int = 8_000) -> Callable[[Callable[..., Any]], Tool]:
    """Makes a tool of an async function `(ctx: ToolContext, *, typed arguments)`.

    Its name and docstring are what the model reads; `Annotated[..., "words"]` explains an
    argument; pydantic validates what the model sends.
    """

    def make(function: Callable[..., Any]) -> Tool:
        hints = get_type_hints(function, include_extras=True)
        fields: dict[str, Any] = {}
        for name, parameter in list(inspect.signature(function).parameters.items())[1:]:
            empty = parameter.default is inspect.Parameter.empty
            said = " ".join(m for m in getattr(hints[name], "__metadata__", ()) if type(m) is str)
            default = ... if empty else parameter.default
            fields[name] = (hints[name], Field(default, description=said or None))
        arguments = create_model(function.__name__, **fields)
        schema = arguments.model_json_schema()
        schema.pop("title", None)
        for part in schema.get("properties", {}).values():
            part.pop("title", None)
        spec = ToolSpec(function.__name__, inspect.getdoc(function) or "", schema)
        return Tool(spec, arguments, function, seconds, max_chars)

    return make
