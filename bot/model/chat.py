"""What a language model is asked and what it answers, in the chat-completions shape."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.model.agent import Bullet
from bot.model.file import Taken
from bot.model.memory import Recalled
from bot.model.run import Usage


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as the model sees it; `parameters` is a JSON schema of an object."""

    name: str
    description: str
    parameters: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """`arguments` is the model's raw JSON text, which may be broken."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Context:
    """What the messages were rendered from, for models that work on the parts themselves."""

    question: str = ""
    agent: str = ""
    playbook: tuple[Bullet, ...] = ()
    memories: tuple[Recalled, ...] = ()
    files: tuple[Taken, ...] = ()
    images: Mapping[str, str] = field(default_factory=dict)
    """Data URLs of the files that the model is shown, by file id."""


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """`messages` are chat-completions messages as JSON objects, oldest first, system first.
    Content is a text, or a list of parts where images come with it."""

    model: str
    messages: tuple[Mapping[str, object], ...]
    tools: tuple[ToolSpec, ...] = ()
    temperature: float | None = None
    max_tokens: int = 2048
    context: Context = field(default_factory=Context)


@dataclass(frozen=True, slots=True)
class ModelReply:
    """`finish_reason` is the provider's: stop, length, tool_calls, content_filter."""

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    usage: Usage = Usage()
    model: str = ""
    finish_reason: str = "stop"
