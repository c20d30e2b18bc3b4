"""The simulated model behind an OpenAI-compatible port on loopback."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httptools

from bot.llm.simulated.mind import Body, Mind, Said
from bot.llm.simulated.truth import Truth
from bot.llm.simulated.world import World

_DIMENSIONS = 32


class SimulatedServer:
    """One world and one seed. `passes` hears how many ms each answer would have taken, before it
    is sent: whoever holds the clock moves it on; nothing here really waits, unless there is a
    `pace` (real seconds for each simulated one)."""

    def __init__(
        self,
        world: World,
        seed: int,
        passes: Callable[[float], None] | None = None,
        pace: float = 0.0,
    ) -> None:
        self.mind = Mind(Truth(world, seed))
        self._passes, self._pace = passes, pace
        self._server: asyncio.Server | None = None
        self._open: set[_Connection] = set()

    @property
    def truth(self) -> Truth:
        return self.mind.truth

    @property
    def url(self) -> str:
        """The base URL for OPENAI_BASE_URL."""
        if self._server is None:
            raise RuntimeError("start the server before its address is asked for")
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    async def __aenter__(self) -> "SimulatedServer":
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
            for connection in list(self._open):
                connection.abort()
            await self._server.wait_closed()
            self._server = None

    async def said(self, body: Body) -> Said:
        said = self.mind.reply(body)
        if self._passes is not None:
            self._passes(said.latency_ms)
        if self._pace:
            await asyncio.sleep(self._pace * said.latency_ms / 1000)
        return said

    async def completion(self, body: Body) -> dict[str, Any]:
        """What `/chat/completions` answers where nothing is streamed."""
        return _whole(await self.said(body), body)

    def models(self) -> dict[str, Any]:
        names = [model.name for model in self.truth.world.models]
        return {"object": "list", "data": [{"id": name, "object": "model"} for name in names]}


class _Connection(asyncio.Protocol):
    """One keep-alive connection, a request at a time."""

    def __init__(self, host: SimulatedServer) -> None:
        self._host = host
        self._parser = httptools.HttpRequestParser(self)
        self._path, self._parts = "", list[bytes]()
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._out: Any = transport
        self._host._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._host._open.discard(self)
        if self._task is not None:
            self._task.cancel()

    def abort(self) -> None:
        self._out.abort()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.abort()

    def on_message_begin(self) -> None:
        self._path, self._parts = "", []

    def on_url(self, url: bytes) -> None:
        self._path += url.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._parts.append(body)

    def on_message_complete(self) -> None:
        path = self._path.partition("?")[0]
        try:
            body = json.loads(b"".join(self._parts) or b"{}")
        except ValueError:
            return self._fail(400, "the body is not JSON")
        if path.endswith("/chat/completions"):
            self._task = asyncio.ensure_future(self._chat(body))
        elif path.endswith("/embeddings"):
            self._send(_embeddings(body))
        elif path.endswith("/models"):
            self._send(self._host.models())
        else:
            self._fail(404, f"No such path: {path}")

    async def _chat(self, body: Body) -> None:
        if body.get("stream"):
            self._stream(await self._host.said(body), body)
        else:
            self._send(await self._host.completion(body))

    def _send(self, value: object, status: int = 200) -> None:
        payload = json.dumps(value).encode()
        head = (
            f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(payload)}\r\n\r\n"
        )
        self._out.write(head.encode() + payload)

    def _fail(self, status: int, message: str) -> None:
        self._send({"error": {"message": message, "type": "simulated_error"}}, status)

    def _stream(self, said: Said, body: Body) -> None:
        head = b"HTTP/1.1 200 -\r\nContent-Type: text/event-stream\r\n"
        events = [json.dumps(chunk) for chunk in _chunks(said, body)]
        sent = [head + b"Transfer-Encoding: chunked\r\n\r\n"]
        for event in (*events, "[DONE]"):
            data = f"data: {event}\n\n".encode()
            sent.append(b"%x\r\n%b\r\n" % (len(data), data))
        self._out.write(b"".join((*sent, b"0\r\n\r\n")))


def _around(kind: str, body: Body) -> dict[str, Any]:
    model = str(body.get("model") or "simulated")
    return {"id": "chatcmpl-simulated", "object": kind, "created": 1, "model": model}


def _calls(said: Said) -> list[dict[str, Any]]:
    if said.call is None:
        return []
    id, name, arguments = said.call
    function = {"name": name, "arguments": arguments}
    return [{"id": id, "type": "function", "index": 0, "function": function}]


def _usage(said: Said) -> dict[str, int]:
    return {
        "prompt_tokens": said.tokens_in,
        "completion_tokens": said.tokens_out,
        "total_tokens": said.tokens_in + said.tokens_out,
    }


def _whole(said: Said, body: Body) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": said.text or None}
    if calls := _calls(said):
        message["tool_calls"] = calls
    finish = "tool_calls" if said.call else "stop"
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return {**_around("chat.completion", body), "choices": [choice], "usage": _usage(said)}


def _chunks(said: Said, body: Body) -> list[dict[str, Any]]:
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": f"{word} "} for word in said.text.split(" ")[:-1]]
    deltas += [{"content": word} for word in said.text.split(" ")[-1:] if word]
    deltas += [{"tool_calls": [call]} for call in _calls(said)]
    around = _around("chat.completion.chunk", body)
    finish = "tool_calls" if said.call else "stop"
    chunks = [
        {**around, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
        for delta in deltas
    ]
    end = {"index": 0, "delta": {}, "finish_reason": finish}
    return [
        *chunks,
        {**around, "choices": [end]},
        {**around, "choices": [], "usage": _usage(said)},
    ]


def _embeddings(body: Body) -> dict[str, Any]:
    """By the words in a text, so that alike texts are near."""
    given = body.get("input") or []
    texts = given if isinstance(given, list) else [given]
    data = [
        {"object": "embedding", "index": n, "embedding": _vector(str(text))}
        for n, text in enumerate(texts)
    ]
    usage = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
    return {"object": "list", "model": "simulated", "data": data, "usage": usage}


def _vector(text: str) -> list[float]:
    counts = [0.0] * _DIMENSIONS
    for word in text.casefold().split():
        counts[sum(word.encode()) % _DIMENSIONS] += 1.0
    size = sum(count * count for count in counts) ** 0.5 or 1.0
    return [count / size for count in counts]
