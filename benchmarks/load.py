"""A small HTTP/1.1 client for load: keep-alive, no parsing beyond what a figure needs."""

import asyncio
import json
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """Latencies in ms, in order of completion; `seconds` is the whole run's wall time."""

    latencies: list[float]
    seconds: float

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Connection:
    """One keep-alive connection. Raises RuntimeError for an answer that isn't 200."""

    def __init__(self, host: str, port: int, path: str, headers: dict[str, str]) -> None:
        self._host, self._port = host, port
        lines = [f"POST {path} HTTP/1.1", f"Host: {host}:{port}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._head = "\r\n".join(lines)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, body: bytes) -> bytes:
        reader, writer = self._streams = self._streams or await asyncio.open_connection(
            self._host, self._port
        )
        head = f"{self._head}\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        fields = answer.lower()
        size = int(fields.split(b"content-length:")[1].split(b"\r\n")[0])
        content = await reader.readexactly(size)
        if b" 200 " not in answer.split(b"\r\n")[0]:
            raise RuntimeError(f"{answer!r} {content[:300]!r}")
        return content

    def close(self) -> None:
        if self._streams:
            self._streams[1].close()


async def chat(host: str, port: int, key: str, *, at_once: int, total: int) -> Sample:
    """`total` chat completions over `at_once` connections, each its own conversation."""
    left = iter(range(total))
    latencies: list[float] = []

    async def worker() -> None:
        connection = Connection(
            host,
            port,
            "/v1/chat/completions",
            {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        )
        for number in left:
            question = {"role": "user", "content": f"Say hello, number {number}"}
            body = json.dumps({"model": "ratchet", "messages": [question]}).encode()
            begun = time.perf_counter()
            await connection.post(body)
            latencies.append((time.perf_counter() - begun) * 1000)
        connection.close()

    begun = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(at_once)))
    return Sample(latencies, time.perf_counter() - begun)
