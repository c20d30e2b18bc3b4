"""What the fake model server can be told to say, and how that reads in OpenAI's format."""

import asyncio
import base64
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says. `tool_calls` are (name, arguments as JSON text).

    `finish` None takes stop or tool_calls; `usage` False leaves the token counts out. `end` says
    how the transfer goes: "whole", "truncated" (a stream without its finish reason and [DONE], a
    plain body cut short), "cut" (the connection dies half-way), "corrupt" (one chunk is not
    JSON), or "empty" (no choices).
    """

    text: str = ""
    tool_calls: tuple[tuple[str, str], ...] = ()
    finish: str | None = None
    usage: bool = True
    end: str = "whole"


@dataclass(frozen=True, slots=True)
class Failure:
    """An HTTP error in OpenAI's form; `body` replaces it by other text."""

    status: int
    message: str = "The server had an error"
    code: str | None = None
    retry_after: str | None = None
    body: str | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Waits so many seconds, or for the event, and then goes on with what comes next."""

    seconds: float = 0.0
    until: asyncio.Event | None = None


class Drop:
    """Closes the connection without a word."""


Turn = str | Answer | Failure | Wait | Drop
Replier = Callable[[Body], Turn]


def too_many(retry_after: str | None = None) -> Failure:
    return Failure(429, "Rate limit reached", "rate_limit_exceeded", retry_after)


def server_error(status: int = 500) -> Failure:
    return Failure(status)


def unauthorized() -> Failure:
    return Failure(401, "Incorrect API key provided: sk-x", "invalid_api_key")


def context_length() -> Failure:
    said = "This model's maximum context length is 8192 tokens. However, your messages are longer."
    return Failure(400, said, "context_length_exceeded")


def broken_tool_json(name: str = "calculator") -> Answer:
    return Answer(tool_calls=((name, '{"expression": "1+'),))


def content_filter(text: str = "") -> Answer:
    return Answer(text, finish="content_filter")


def asked(body: Body) -> str:
    """The text of the last message that a person wrote."""
    for message in reversed(body.get("messages", [])):
        if message.get("role") == "user":
            content = message.get("content", "")
            if isinstance(content, str):
                return content
            return "".join(part.get("text", "") for part in content)
    return ""


def echo(body: Body) -> str:
    return f"You said: {asked(body)}"


def envelope(kind: str, body: Body) -> Body:
    return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": body.get("model", "fake")}


def finish(answer: Answer) -> str:
    return answer.finish or ("tool_calls" if answer.tool_calls else "stop")


def calls(answer: Answer) -> list[Body]:
    return [
        {"id": f"call_{n}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for n, (name, arguments) in enumerate(answer.tool_calls)
    ]


def usage(answer: Answer, body: Body) -> Body:
    """A token for every four characters, roughly what tokenizers give."""
    tokens_in = sum(len(str(m.get("content") or "")) for m in body.get("messages", [])) // 4 + 1
    written = len(answer.text) + sum(len(a) for _, a in answer.tool_calls)
    tokens_out = written // 4 + 1
    return {
        "prompt_tokens": tokens_in,
        "completion_tokens": tokens_out,
        "total_tokens": tokens_in + tokens_out,
        "prompt_tokens_details": {"cached_tokens": 0},
    }


def chunks(answer: Answer, body: Body) -> list[Body]:
    """The text word by word; a tool call's arguments in two pieces."""
    deltas: list[Body] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": piece} for piece in pieces(answer.text)]
    for index, call in enumerate(calls(answer)):
        name, arguments = call["function"]["name"], call["function"]["arguments"]
        half = len(arguments) // 2
        first = {**call, "index": index, "function": {"name": name, "arguments": arguments[:half]}}
        rest = {"index": index, "function": {"arguments": arguments[half:]}}
        deltas += [{"tool_calls": [first]}, {"tool_calls": [rest]}]
    around = envelope("chat.completion.chunk", body)

    def chunk(delta: Body, finish: str | None) -> Body:
        return {**around, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    out = [chunk(delta, None) for delta in deltas] + [chunk({}, finish(answer))]
    if answer.end == "empty":
        out = [{**around, "choices": []}]
    wants = (body.get("stream_options") or {}).get("include_usage")
    if answer.usage and wants:
        out.append({**around, "choices": [], "usage": usage(answer, body)})
    return out


def pieces(text: str) -> list[str]:
    words = text.split(" ")
    return [word + (" " if n < len(words) - 1 else "") for n, word in enumerate(words) if text]


def embeddings(body: Body) -> Body:
    """The same vector for the same text, in the encoding asked for."""
    texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
    data = []
    for index, text in enumerate(texts):
        seed = zlib.crc32(str(text).encode())
        vector = [((seed >> n) % 97 + 1) / 100 for n in range(8)]
        packed = base64.b64encode(struct.pack("<8f", *vector)).decode()
        as_asked: object = packed if body.get("encoding_format") == "base64" else vector
        data.append({"object": "embedding", "index": index, "embedding": as_asked})
    usage = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
    return {"object": "list", "model": body.get("model", "fake"), "data": data, "usage": usage}
