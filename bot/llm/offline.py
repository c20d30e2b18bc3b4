"""The model that needs no key: it quotes what it was taught, uses tools, and says what it is."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bot.llm import intents, lexical, tokens
from bot.llm.spoken import spoken
from bot.model.agent import Bullet
from bot.model.chat import Context, ModelReply, ModelRequest, ToolCall
from bot.model.file import Taken
from bot.model.memory import Recalled
from bot.model.run import Usage
from bot.model.words import without_context
from bot.ports.models import OnDelta

NAME = "offline"

NO_MODEL = (
    "No language model is connected, so I can only quote what I was taught, calculate, tell the "
    "date and read my run log, and I found nothing there for this. To connect a model, set "
    "OPENAI_API_KEY, or OPENAI_BASE_URL for a local server, and start me again."
)

INTRODUCTION = (
    "I am Ratchet. Without a model I quote what you taught me, calculate, tell the date and read "
    "my run log. Try: `What is 17 * 23?` · `/better Our refund period is 30 days.` · `/help`\n\n"
    "No language model is connected: to connect one, set OPENAI_API_KEY, or OPENAI_BASE_URL for a "
    "local server, and start me again."
)
NO_READER = (
    "No language model is connected, so I can't work with it. To connect one, set OPENAI_API_KEY, "
    "or OPENAI_BASE_URL for a local server, and start me again."
)
NEAREST = "The nearest thing I was taught:"

_PROPOSAL = re.compile(r"P(\d+)\Z")


@dataclass(frozen=True, slots=True)
class _Quote:
    """A text that may answer. `order` says which of two equally good ones is newer."""

    text: str
    source: str
    order: tuple[int, int, int]


class OfflineModel:
    """Makes nothing up: every answer is a quotation with its source, or a tool's result."""

    @property
    def default(self) -> str:
        return NAME

    async def warm(self) -> None:
        """Nothing to load."""

    async def close(self) -> None:
        """Nothing to let go of."""

    def estimate(self, request: ModelRequest) -> Usage:
        return Usage(tokens.of_request(request), request.max_tokens, estimated=True)

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> ModelReply:
        call = None
        text = _from_tools(request)
        if not text:
            question = request.context.question or _asked(request)
            call = _granted(request, intents.wanted(question))
            text = "" if call else quote(request.context, question)
            if not call and not text:
                call = _granted(request, intents.recall(question))
                text = "" if call else _own_words(question, request.context.files)
        usage = Usage(tokens.of_request(request), tokens.of_text(text), estimated=True)
        if call:
            return ModelReply("", (call,), usage, NAME, "tool_calls")
        if on_delta is not None:
            on_delta(text)
        return ModelReply(text, (), usage, NAME)


def _own_words(question: str, files: Sequence[Taken]) -> str:
    if got := [_got(file) for file in files if file.kind != "refused"]:
        return "\n".join([*got, "", NO_READER])
    return INTRODUCTION if intents.is_greeting(question) else NO_MODEL


def _got(file: Taken) -> str:
    sent = "You sent earlier" if file.earlier else "I got"
    return f"- {sent} `{file.name}`: {file.what}, {file.size:,} bytes."


def quote(context: Context, question: str) -> str:
    """The best matching memory or bullet, word for word, with its source; "" if none fits.

    One that lacks some of the question's words is said to be no more than the nearest.
    """
    found = [(lexical.match(question, q.text), q) for q in _quotes(context)]
    fitting = [(m, q) for m, q in found if m.relevance >= lexical.ENOUGH]
    if not fitting:
        return ""
    # Two texts that both answer differ in wording more than in merit: then the newer one counts.
    match, best = max(
        fitting, key=lambda f: (round(f[0].covered, 2), f[0].focus >= 1 / 3, f[1].order)
    )
    quoted = f"{without_context(best.text)}\n({best.source})"
    return quoted if match.whole else f"{NEAREST}\n{quoted}"


def _quotes(context: Context) -> Iterator[_Quote]:
    for number, bullet in enumerate(context.playbook):
        yield _of_bullet(bullet, number, context.agent)
    for recalled in context.memories:
        yield _of_memory(recalled)


def _of_bullet(bullet: Bullet, number: int, agent: str) -> _Quote:
    proposal = _PROPOSAL.match(bullet.source)
    taught = f", taught by {bullet.source}" if proposal else ""
    source = f"from playbook {bullet.id} of {agent}{taught}"
    return _Quote(bullet.text, source, (int(proposal[1]) if proposal else 0, 0, number))


def _of_memory(recalled: Recalled) -> _Quote:
    memory = recalled.memory
    proposal = _PROPOSAL.match(memory.source)
    source = f"from memory {memory.ref}" + (f", {memory.source}" if proposal else "")
    return _Quote(memory.text, source, (int(proposal[1]) if proposal else 0, 1, memory.number))


def _granted(request: ModelRequest, wanted: intents.Wanted | None) -> ToolCall | None:
    if wanted is None or wanted[0] not in {tool.name for tool in request.tools}:
        return None
    name, arguments = wanted
    return ToolCall("call_1", name, json.dumps(arguments, ensure_ascii=False))


def _from_tools(request: ModelRequest) -> str:
    """What the tools gave that were called just now, or "" if none was."""
    results: list[str] = []
    names: dict[str, str] = {}
    for message in request.messages:
        if message.get("role") == "tool":
            name = names.get(str(message.get("tool_call_id")), "")
            results.append(spoken(name, str(message.get("content") or "")))
        else:
            results = []
            calls: Any = message.get("tool_calls") or ()
            names = {call["id"]: call["function"]["name"] for call in calls}
    return "\n\n".join(results)


def _asked(request: ModelRequest) -> str:
    asked = [m.get("content") for m in request.messages if m.get("role") == "user"]
    return str(asked[-1] or "") if asked else ""
