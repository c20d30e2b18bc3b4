"""The chat-completions format: requests as JSON, answers and stream chunks back into ours."""

import json
from collections.abc import Mapping
from typing import Any

from bot.llm import tokens
from bot.model.chat import ModelReply, ModelRequest, ToolCall
from bot.model.run import Usage
from bot.redaction import storable

Json = dict[str, Any]

_LONGEST_NAME = 200


class Garbled(Exception):
    """What came is not in the format."""


def body(request: ModelRequest, model: str, *, stream: bool, avoid: frozenset[str]) -> Json:
    """The request's JSON. `avoid` names parameters that this server or model refused before."""
    sent: Json = {"model": model, "messages": request.messages}
    limit = "max_completion_tokens" if "max_tokens" in avoid else "max_tokens"
    sent[limit] = request.max_tokens
    if request.temperature is not None and "temperature" not in avoid:
        sent["temperature"] = request.temperature
    if request.tools:
        sent["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": t.name,
                    "description": t.description,
                    "parameters": t.parameters,
                },
            }
            for t in request.tools
        ]
    if stream:
        sent["stream"] = True
        if "stream_options" not in avoid:
            sent["stream_options"] = {"include_usage": True}
    return sent


class Received:
    """An answer as far as it has come: whole, or gathered from a stream's chunks."""

    def __init__(self, request: ModelRequest, model: str) -> None:
        self._request = request
        self.model = model
        self.finish_reason = ""
        self.choices = False
        self._text: list[str] = []
        self._half = ""
        self._calls: list[Json] = []
        self._counted: Json | None = None

    @property
    def text(self) -> str:
        return storable("".join(self._text))

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        return tuple(
            ToolCall(
                storable(c["id"]) or f"call_{n}",
                storable(c["name"][:_LONGEST_NAME]),
                storable(c["arguments"]),
            )
            for n, c in enumerate(self._calls)
            if c["name"]
        )

    def take(self, answer: object) -> str:
        """A whole answer or the next chunk; returns the text in it. Raises Garbled."""
        try:
            return self._take(answer)
        except (AttributeError, KeyError, TypeError, IndexError) as error:
            raise Garbled(f"{type(error).__name__}: {error} in {str(answer)[:200]!r}") from error

    def _take(self, answer: Any) -> str:
        text = ""
        if usage := answer.get("usage"):
            self._counted = usage
        self.model = str(answer.get("model") or self.model)
        for choice in (answer.get("choices") or ())[:1]:
            self.finish_reason = str(choice.get("finish_reason") or self.finish_reason)
            message = choice.get("delta") or choice.get("message") or {}
            self.choices = True
            if text := _text(message.get("content") or message.get("refusal")):
                self._text.append(text)
                text = self._whole_characters(text)
            for call in message.get("tool_calls") or ():
                self._take_call(call)
        return text

    def _whole_characters(self, text: str) -> str:
        """What can be shown of a chunk: JSON may cut an emoji in two halves, one in each chunk."""
        if text.isascii() and not self._half:
            return text
        text, self._half = self._half + text, ""
        if "\ud800" <= text[-1] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        return storable(text)

    def _take_call(self, call: Json) -> None:
        """A stream brings a call in pieces, told apart by index; some servers leave that out and
        send whole calls, each with its id."""
        index = call.get("index")
        if index is None:
            index = len(self._calls) if call.get("id") or not self._calls else -1
        if index >= len(self._calls):
            self._calls.append({"id": "", "name": "", "arguments": ""})
            index = -1
        function = call.get("function") or {}
        held = self._calls[index]
        held["id"] = held["id"] or str(call.get("id") or "")
        held["name"] = held["name"] or str(function.get("name") or "")
        arguments = function.get("arguments") or ""
        held["arguments"] += arguments if isinstance(arguments, str) else json.dumps(arguments)

    def counts(self) -> Usage:
        """Tokens without their cost: the provider's count, or ours where it gave none."""
        counted = self._counted
        if isinstance(counted, Mapping):
            details = counted.get("prompt_tokens_details")
            cached = details.get("cached_tokens") if isinstance(details, Mapping) else 0
            return Usage(
                _count(counted.get("prompt_tokens")),
                _count(counted.get("completion_tokens")),
                _count(cached),
            )
        written = tokens.of_text(self.text) + sum(
            tokens.of_text(c["arguments"]) for c in self._calls
        )
        return Usage(tokens.of_request(self._request), written, estimated=True)

    def reply(self, usage: Usage) -> ModelReply:
        return ModelReply(self.text, self.calls, usage, self.model, self.finish_reason or "stop")


def _count(value: object) -> int:
    """A number of tokens, whatever a server may put there."""
    return int(value) if isinstance(value, int | float) and 0 <= value < 1e12 else 0


def _text(content: Any) -> str:
    """Text is a string or, with some servers, a list of parts."""
    if content is None or isinstance(content, str):
        return content or ""
    return "".join(part.get("text", "") for part in content if part.get("type") == "text")
