"""An OpenAI-compatible server on loopback: echoes, or does what a test scripts, faults included."""

import argparse
import asyncio
import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import httptools

from tests.fakes import model_answers as answers
from tests.fakes.model_answers import (
    Answer,
    Body,
    Drop,
    Failure,
    Replier,
    Turn,
    Wait,
    asked,
    broken_tool_json,
    content_filter,
    context_length,
    echo,
    server_error,
    too_many,
    unauthorized,
)

__all__ = [
    "Answer",
    "Body",
    "Drop",
    "Failure",
    "ModelServer",
    "Request",
    "Wait",
    "asked",
    "broken_tool_json",
    "content_filter",
    "context_length",
    "echo",
    "server_error",
    "too_many",
    "unauthorized",
]


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived; header names in lower case."""

    path: str
    headers: Mapping[str, str]
    body: Body
    size: int


@dataclass
class ModelServer:
    """`reply` answers each chat request; what is in `script` is served first, in order.

    `delay` (seconds) is waited before every answer, `pace` before every word of a streamed one that
    nothing is wrong with. `record` False keeps no requests, for loads
    that would fill the memory.
    """

    reply: Replier = echo
    delay: float = 0.0
    pace: float = 0.0
    record: bool = True
    script: deque[Turn] = field(default_factory=deque)
    requests: list[Request] = field(default_factory=list)
    served: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    _server: asyncio.Server | None = None
    _open: set["_Connection"] = field(default_factory=set)

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        """The base URL for OPENAI_BASE_URL."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def chats(self) -> list[Body]:
        return [r.body for r in self.requests if r.path.endswith("/chat/completions")]

    def then(self, *turns: Turn) -> None:
        """Queues what the next requests get."""
        self.script.extend(turns)

    async def start(self, port: int = 0) -> "ModelServer":
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", port)
        return self

    async def stop(self) -> None:
        """Closes the port and every connection."""
        if self._server is not None:
            self._server.close()
            for connection in list(self._open):
                connection.abort()
            await self._server.wait_closed()
            self._server = None

    async def __aenter__(self) -> "ModelServer":
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


class _Connection(asyncio.Protocol):
    """One keep-alive connection; a request is answered at once unless it has to wait."""

    def __init__(self, server: ModelServer) -> None:
        self._host = server
        self._parser = httptools.HttpRequestParser(self)
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._out = transport
        self._host._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._host._open.discard(self)
        if self._task is not None:
            self._task.cancel()

    def abort(self) -> None:
        self._out.abort()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._path, self._headers, self._parts = "", {}, []

    _path: str
    _headers: dict[str, str]
    _parts: list[bytes]

    def on_url(self, url: bytes) -> None:
        self._path += url.decode()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode().lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._parts.append(body)

    def on_message_complete(self) -> None:
        host, raw = self._host, b"".join(self._parts)
        body: Body = json.loads(raw) if raw else {}
        host.served += 1
        if host.record:
            host.requests.append(Request(self._path, self._headers, body, len(raw)))
        path = self._path.partition("?")[0]
        if path.endswith("/chat/completions"):
            self._chat(body)
        elif path.endswith("/embeddings"):
            self._plain(answers.embeddings(body))
        elif path.endswith("/models"):
            self._plain({"object": "list", "data": [{"id": "fake", "object": "model"}]})
        else:
            self._fail(Failure(404, f"No such path: {path}"))

    def _chat(self, body: Body) -> None:
        host = self._host
        turn = host.script.popleft() if host.script else host.reply(body)
        if host.delay or isinstance(turn, Wait):
            self._task = asyncio.ensure_future(self._wait(body, turn))
        else:
            self._take(turn, body)

    async def _wait(self, body: Body, turn: Turn) -> None:
        host = self._host
        host.in_flight += 1
        host.most_in_flight = max(host.most_in_flight, host.in_flight)
        try:
            await asyncio.sleep(host.delay)
            while isinstance(turn, Wait):
                await asyncio.sleep(turn.seconds)
                if turn.until is not None:
                    await turn.until.wait()
                turn = host.script.popleft() if host.script else host.reply(body)
        finally:
            host.in_flight -= 1
        self._task = None
        self._take(turn, body)

    def _take(self, turn: Turn, body: Body) -> None:
        if isinstance(turn, Drop):
            self.abort()
        elif isinstance(turn, Failure):
            self._fail(turn)
        else:
            assert isinstance(turn, str | Answer)
            answer = Answer(turn) if isinstance(turn, str) else turn
            (self._stream if body.get("stream") else self._whole)(answer, body)

    def _fail(self, failure: Failure) -> None:
        error = {"message": failure.message, "type": "fake_error", "code": failure.code}
        text = json.dumps({"error": error}) if failure.body is None else failure.body
        extra = f"Retry-After: {failure.retry_after}\r\n" if failure.retry_after else ""
        self._send(text.encode(), failure.status, extra)

    def _plain(self, value: object) -> None:
        self._send(json.dumps(value).encode())

    def _send(self, payload: bytes, status: int = 200, extra: str = "", claim: int = 0) -> None:
        head = (
            f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\n{extra}"
            f"Content-Length: {claim or len(payload)}\r\n\r\n"
        )
        self._out.write(head.encode() + payload)

    def _whole(self, answer: Answer, body: Body) -> None:
        message: Body = {"role": "assistant", "content": answer.text or None}
        if answer.tool_calls:
            message["tool_calls"] = answers.calls(answer)
        choice = {"index": 0, "message": message, "finish_reason": answers.finish(answer)}
        reply = answers.envelope("chat.completion", body)
        reply["choices"] = [] if answer.end == "empty" else [choice]
        if answer.usage:
            reply["usage"] = answers.usage(answer, body)
        payload = json.dumps(reply).encode()
        if answer.end in ("truncated", "cut"):
            self._send(payload[: len(payload) // 2], claim=len(payload))
            self._out.close()
        else:
            self._send(b"{" + payload if answer.end == "corrupt" else payload)

    def _stream(self, answer: Answer, body: Body) -> None:
        head = b"HTTP/1.1 200 -\r\nContent-Type: text/event-stream\r\n"
        self._out.write(head + b"Transfer-Encoding: chunked\r\n\r\n")
        chunks = answers.chunks(answer, body)
        if self._host.pace and answer.end == "whole":
            self._task = asyncio.ensure_future(self._slowly(chunks))
            return
        if answer.end in ("truncated", "cut", "corrupt"):
            chunks = chunks[: max(1, len(chunks) // 2)]
        for chunk in chunks:
            self._event(json.dumps(chunk))
        if answer.end == "corrupt":
            self._event('{"choices": [{"delta"')
        if answer.end == "cut":
            self._out.close()
            return
        if answer.end != "truncated":
            self._event("[DONE]")
        self._out.write(b"0\r\n\r\n")

    async def _slowly(self, chunks: list[Body]) -> None:
        for chunk in chunks:
            self._event(json.dumps(chunk))
            await asyncio.sleep(self._host.pace)
        self._event("[DONE]")
        self._out.write(b"0\r\n\r\n")
        self._task = None

    def _event(self, data: str) -> None:
        payload = f"data: {data}\n\n".encode()
        self._out.write(b"%x\r\n%b\r\n" % (len(payload), payload))


async def _serve(port: int, delay: float) -> None:
    server = await ModelServer(delay=delay, record=False).start(port)
    print(server.url, flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    args = parser.parse_args()
    try:
        asyncio.run(_serve(args.port, args.delay_ms / 1000))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
