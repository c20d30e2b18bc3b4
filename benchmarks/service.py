"""The whole service beside a bare pass-through: latency, throughput, CPU, memory, start-up."""

import asyncio
import json
import statistics
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from benchmarks.load import Connection, Sample, chat
from tests.fakes.model_server import ModelServer
from tests.stories.nodes import Node, clean_environment, free_port

_KEY = "key-of-the-test"
_ROUNDS = 5
_PER_ROUND = {1: 300, 32: 1500, 128: 1500}


@dataclass(frozen=True, slots=True)
class Pair:
    """Ours and the bare one at one concurrency: medians over the rounds, ratios pair by pair."""

    ours: list[Sample]
    bare: list[Sample]

    def latency_ratio(self) -> float:
        pairs = zip(self.ours, self.bare, strict=True)
        return statistics.median(a.percentile(0.5) / b.percentile(0.5) for a, b in pairs)

    def throughput_ratio(self) -> float:
        pairs = zip(self.ours, self.bare, strict=True)
        return statistics.median(a.per_second / b.per_second for a, b in pairs)


@dataclass(frozen=True, slots=True)
class Figures:
    pairs: dict[int, Pair]
    cpu_ms: float
    idle_mb: float
    half_way_mb: float
    full_mb: float


async def side_by_side(folder: Path) -> Figures:
    async with model() as model_url, _bare(model_url) as bare_port:
        node = ratchet(folder, model_url)
        await node.start()
        try:
            await asyncio.sleep(6.0)  # what starts later has started
            process = psutil.Process(node.pid)
            idle = megabytes(process)
            await chat("127.0.0.1", node.port, _KEY, at_once=8, total=300)
            await chat("127.0.0.1", bare_port, _KEY, at_once=8, total=300)
            before, done = cpu_seconds(process), 0
            pairs = {}
            for at_once, total in _PER_ROUND.items():
                ours, bare = [], []
                for _ in range(_ROUNDS):
                    bare.append(
                        await chat("127.0.0.1", bare_port, _KEY, at_once=at_once, total=total)
                    )
                    ours.append(
                        await chat("127.0.0.1", node.port, _KEY, at_once=at_once, total=total)
                    )
                    done += total
                pairs[at_once] = Pair(ours, bare)
            cpu = (cpu_seconds(process) - before) / done * 1000
            half_way = megabytes(process)
            await chat("127.0.0.1", node.port, _KEY, at_once=32, total=10_000)
            return Figures(pairs, cpu, idle, half_way, megabytes(process))
        finally:
            await node.stop()


async def launches(folder: Path, times: int = 5) -> tuple[float, float]:
    """Medians in seconds from launch: until it is ready, and until a first reply is there."""
    ready, replied = [], []
    async with model() as model_url:
        for number in range(times):
            node = ratchet(folder / f"launch{number}", model_url)
            begun = time.perf_counter()
            await node.start()
            ready.append(time.perf_counter() - begun)
            await chat("127.0.0.1", node.port, _KEY, at_once=1, total=1)
            replied.append(time.perf_counter() - begun)
            await node.stop()
    return statistics.median(ready), statistics.median(replied)


async def ping_bytes(folder: Path) -> int:
    """The size of the model request for "ping"."""
    async with ModelServer() as server:
        node = ratchet(folder, server.url)
        await node.start()
        try:
            connection = Connection(
                "127.0.0.1", node.port, "/v1/chat/completions", {"Authorization": f"Bearer {_KEY}"}
            )
            asked = {"model": "ratchet", "messages": [{"role": "user", "content": "ping"}]}
            await connection.post(json.dumps(asked).encode())
            connection.close()
            return server.requests[-1].size
        finally:
            await node.stop()


async def help_seconds(times: int = 7) -> float:
    """Median of `ratchet --help`, as a whole process."""
    took = []
    for _ in range(times):
        begun = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "--help", stdout=asyncio.subprocess.DEVNULL
        )
        await process.wait()
        took.append(time.perf_counter() - begun)
    return statistics.median(took)


def ratchet(folder: Path, model_url: str, more: Mapping[str, str] | None = None) -> Node:
    return Node(folder, {"OPENAI_BASE_URL": model_url, "OPENAI_API_KEY": "none", **(more or {})})


@asynccontextmanager
async def model(delay_ms: float = 0.0) -> AsyncIterator[str]:
    port = free_port()
    arguments = ("--port", str(port), "--delay-ms", str(delay_ms))
    async with _process("tests.fakes.model_server", *arguments, port=port, path="/v1/models"):
        yield f"http://127.0.0.1:{port}/v1"


@asynccontextmanager
async def _bare(model_url: str) -> AsyncIterator[int]:
    port = free_port()
    arguments = ("--port", str(port), "--model-url", model_url)
    async with _process("benchmarks.bare", *arguments, port=port, path="/readyz"):
        yield port


@asynccontextmanager
async def _process(module: str, *arguments: str, port: int, path: str) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, env=clean_environment()
    )
    try:
        async with asyncio.timeout(30), httpx.AsyncClient() as client:
            while True:
                with suppress(httpx.TransportError):
                    await client.get(f"http://127.0.0.1:{port}{path}")
                    break
                await asyncio.sleep(0.05)
        yield
    finally:
        process.terminate()
        await process.wait()


def cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def megabytes(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 1e6
