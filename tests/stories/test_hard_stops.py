"""A real process is stopped, killed and started again in the middle of an answer."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.fakes.model_server import Answer, ModelServer, Wait
from tests.stories.nodes import Node

KEY = {"Authorization": "Bearer key-of-the-test"}
CALCULATOR = (("calculator", '{"expression": "17 * 23"}'),)


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    async with ModelServer() as running:
        yield running


@pytest.fixture
async def node(tmp_path: Path, model: ModelServer) -> AsyncIterator[Node]:
    node = Node(tmp_path / "home", {"OPENAI_BASE_URL": model.url, "RATCHET_MODEL_RETRIES": "0"})
    await node.start()
    yield node
    await node.kill()


def completion(text: str, *, stream: bool) -> dict[str, object]:
    return {"model": "ratchet", "stream": stream, "messages": [{"role": "user", "content": text}]}


async def asked(model: ModelServer, count: int) -> None:
    while len(model.chats) < count:
        await asyncio.sleep(0.005)


async def test_a_clean_stop_lets_an_answer_finish(node: Node, model: ModelServer) -> None:
    slow = asyncio.Event()
    model.then(Wait(until=slow))
    run_id = await node.ask("hello")
    await asked(model, 1)
    stopping = asyncio.create_task(node.stop())
    while "Stopping" not in node.output:
        await asyncio.sleep(0.005)
    slow.set()
    assert await stopping == 0
    await node.start()
    run = await node.until_closed(run_id)
    assert run["status"] == "succeeded" and run["attempt"] == 1
    assert len(model.chats) == 1


async def test_an_answer_that_a_stop_cuts_off_goes_on_at_the_next_start(
    node: Node, model: ModelServer
) -> None:
    """The second signal ends at once; what has a result in the log is not done again."""
    never = asyncio.Event()
    model.then(Answer("let me see", tool_calls=CALCULATOR), Wait(until=never))
    run_id = await node.ask("what is 17 * 23?")
    await asked(model, 2)
    for _ in range(2):
        os.kill(node.pid, signal.SIGINT)
        while "Stopping" not in node.output:
            await asyncio.sleep(0.005)
    await node.kill()
    model.then("it is 391")
    await node.start()
    run = await node.until_closed(run_id)
    assert run["status"] == "succeeded" and run["answer"] == "it is 391"
    steps = run["steps"]
    assert isinstance(steps, list)
    assert [s["kind"] for s in steps] == ["route", "model", "tool", "model"]
    assert len(model.chats) == 3
    assert "391" in str(model.chats[2]["messages"][-1])


async def test_a_kill_in_a_streamed_answer_and_the_same_request_again(
    node: Node, model: ModelServer
) -> None:
    never = asyncio.Event()
    model.then(Answer("let me see", tool_calls=CALCULATOR), Wait(until=never))
    headers = {**KEY, "Idempotency-Key": "the same"}
    asking = completion("what is 17 * 23?", stream=True)
    async with httpx.AsyncClient(base_url=node.url, headers=headers, timeout=30) as client:
        async with client.stream("POST", "/v1/chat/completions", json=asking) as answer:
            run_id = answer.headers["x-ratchet-run-id"]
            await asked(model, 2)
            await node.kill()
        model.then("it is 391")
        await node.start()
        again = await client.post("/v1/chat/completions", json=asking)
    assert again.status_code == 200 and again.headers["x-ratchet-run-id"] == run_id
    chunks = [
        json.loads(line[6:]) for line in again.text.split("\n\n") if line.startswith("data: {")
    ]
    said = "".join(c["choices"][0]["delta"].get("content", "") for c in chunks if c["choices"])
    assert said.endswith("it is 391")
    run = await node.until_closed(run_id)
    assert run["attempt"] == 2 and run["answer"] == "it is 391"
    assert len(model.chats) == 3
