"""The whole loop by HTTP: the official client asks, the runs API decides."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionUserMessageParam

from tests.stories.nodes import Node

LESSON = "We state the length of a cable in metres"
ASKED: ChatCompletionUserMessageParam = {
    "role": "user",
    "content": "In which unit do we state the length of a cable?",
}


@pytest.fixture
async def ratchet(tmp_path: Path) -> AsyncIterator[Node]:
    node = Node(tmp_path / "home", {})
    await node.start()
    yield node
    await node.stop()


@pytest.fixture
async def openai(ratchet: Node) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=f"{ratchet.url}/v1", api_key="key-of-the-test") as client:
        yield client


@pytest.fixture
async def http(ratchet: Node) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"authorization": "Bearer key-of-the-test"}
    async with httpx.AsyncClient(base_url=ratchet.url, headers=headers, timeout=20) as client:
        yield client


async def streamed(client: AsyncOpenAI) -> str:
    chunks = await client.chat.completions.create(
        model="ratchet/generalist", messages=[ASKED], stream=True
    )
    return "".join([c.choices[0].delta.content or "" async for c in chunks if c.choices])


async def does(http: httpx.AsyncClient, command: str, key: str) -> dict[str, Any]:
    """A command as a run of its own, once it is closed; said twice, as a client that retries."""
    starts = [
        await http.post("/v1/runs", json={"message": command}, headers={"Idempotency-Key": key})
        for _ in range(2)
    ]
    assert [start.status_code for start in starts] == [202, 202]
    run_id = starts[0].json()["run_id"]
    assert starts[1].json()["run_id"] == run_id
    events = await http.get(f"/v1/runs/{run_id}/events")
    assert "done" in events.text
    run: dict[str, Any] = (await http.get(f"/v1/runs/{run_id}")).json()
    return run


async def test_ask_better_approve_and_roll_back(
    openai: AsyncOpenAI, http: httpx.AsyncClient
) -> None:
    asked = await openai.chat.completions.with_raw_response.create(
        model="ratchet", messages=[ASKED]
    )
    run_id = asked.headers["x-ratchet-run-id"]
    assert "metres" not in (asked.parse().choices[0].message.content or "")

    card = await does(http, f"/better {run_id} {LESSON}", "better")
    assert LESSON in card["answer"] and "/approve P1" in card["answer"]
    assert (await does(http, "/approve P1", "approve"))["status"] == "succeeded"
    again = await does(http, "/approve P1", "again")
    assert "P1" in again["answer"]

    right = await streamed(openai)
    assert "in metres" in right and "taught by P1" in right
    run = (await http.get("/v1/runs?limit=1")).json()
    assert run["data"][0]["agent_version"] == 2, run

    assert (await does(http, "/rollback P1", "rollback"))["status"] == "succeeded"
    assert "in metres" not in await streamed(openai)

    first = (await http.get(f"/v1/runs/{run_id}")).json()
    assert first["steps"][0]["kind"] == "route"
    assert first["agent_version"] == 1 and first["outcome"]["y"] is not None
