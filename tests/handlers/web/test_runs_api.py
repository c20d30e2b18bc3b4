"""The runs API: start, look at, watch, rate and cancel."""

import asyncio
import json
from typing import Any

import httpx

from bot.model.message import Message, Reply, Sender
from bot.model.run import RunKind, RunStatus
from tests import samples
from tests.fakes.answering_inbox import Answer
from tests.handlers.web.conftest import Site


async def start(http: httpx.AsyncClient, text: str = "hello", **more: str) -> str:
    response = await http.post("/v1/runs", json={"message": text, **more})
    assert response.status_code == 202
    return str(response.json()["run_id"])


async def finished(site: Site, run_id: str) -> None:
    assert (await site.inbox.wait("local", run_id, 5)).finished_at


async def events(http: httpx.AsyncClient, run_id: str) -> list[tuple[str, dict[str, Any]]]:
    """What the stream brought until it ended."""
    found: list[tuple[str, dict[str, Any]]] = []
    async with http.stream("GET", f"/v1/runs/{run_id}/events") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        kind = ""
        async for line in response.aiter_lines():
            if line.startswith("event: "):
                kind = line[7:]
            elif line.startswith("data: "):
                found.append((kind, json.loads(line[6:])))
    return found


async def test_a_run_is_started_and_shown_with_everything_it_did(
    site: Site, http: httpx.AsyncClient
) -> None:
    response = await http.post(
        "/v1/runs", json={"message": "hello", "agent": "researcher", "conversation": "c1"}
    )
    assert response.status_code == 202
    started = response.json()
    assert set(started) == {"run_id", "status"} and started["status"] == "queued"
    await finished(site, started["run_id"])
    run = (await http.get(f"/v1/runs/{started['run_id']}")).json()
    assert run["run_id"] == started["run_id"] and run["status"] == "succeeded"
    assert (run["agent"], run["agent_version"]) == ("researcher", 1)
    assert run["answer"] == "You said: hello" and run["message"] == "hello"
    assert run["conversation"] == "c1" and run["error"] is None
    assert run["usage"]["tokens_in"] == 12 and run["usage"]["tokens_cached"] == 3
    assert run["cost_usd"] == 0.0004 and run["latency_ms"] >= 3
    assert run["outcome"] == {"y": None, "source": ""}
    assert [step["kind"] for step in run["steps"]] == ["model"]
    assert (await http.get(f"/v1/runs/{run['run_id'][-8:]}")).json() == run


async def test_a_failed_run_tells_why(site: Site, http: httpx.AsyncClient) -> None:
    site.inbox.script["hello"] = Answer(
        status=RunStatus.FAILED, error_type="model", reply=Reply("The key was rejected.")
    )
    run_id = await start(http)
    await finished(site, run_id)
    run = (await http.get(f"/v1/runs/{run_id}")).json()
    assert run["status"] == "failed" and run["answer"] == "The key was rejected."
    assert run["error"] == {"type": "model", "message": "the cause"}


async def test_a_repeated_key_is_the_same_run(site: Site, http: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "k-1"}
    first, *others = await asyncio.gather(
        *(http.post("/v1/runs", json={"message": "once"}, headers=headers) for _ in range(8))
    )
    assert {r.json()["run_id"] for r in others} == {first.json()["run_id"]}
    assert len(site.inbox.messages) == 1
    for body in ({"message": "twice"}, {"message": "once", "agent": "researcher"}):
        response = await http.post("/v1/runs", json=body, headers=headers)
        assert response.status_code == 422


async def test_what_cannot_be_a_run_is_refused(site: Site, http: httpx.AsyncClient) -> None:
    bodies: list[object] = [
        {},
        [],
        {"message": ""},
        {"message": " "},
        {"message": 7},
        {"message": None},
        {"message": "x\0"},
        {"message": "\udfff"},
        {"message": "x", "agent": 7},
        {"message": "x", "conversation": 7},
        {"message": "x", "conversation": "a\nb"},
        {"message": "x", "conversation": "c" * 201},
    ]
    for body in bodies:
        response = await http.post("/v1/runs", content=json.dumps(body))
        assert response.status_code == 400, body
        assert response.json()["error"]["message"]
    response = await http.post("/v1/runs", json={"message": "x", "agent": "nobody"})
    assert response.status_code == 404
    assert not site.inbox.messages


async def test_unknown_runs_are_not_found(site: Site, http: httpx.AsyncClient) -> None:
    stranger = Message("T0OTHER", "slack", "e1", "C1", Sender("U1"), "private")
    other = (await site.inbox.accept(stranger)).run_id
    await site.inbox.wait("T0OTHER", other, 5)
    refs = (other, other[-8:], "00000000-0000-7000-8000-000000000000", "x", "%00%00%00%00", "é" * 8)
    for ref in refs:
        for method, path in (
            ("GET", ""),
            ("GET", "/events"),
            ("POST", "/feedback"),
            ("POST", "/cancel"),
        ):
            response = await http.request(method, f"/v1/runs/{ref}{path}", json={"rating": 1})
            assert response.status_code == 404, (ref, path)
            assert response.json()["error"]["code"] == "run_not_found"
    assert (await http.get("/v1/runs")).json()["data"] == []


async def test_the_latest_runs_are_listed(site: Site, http: httpx.AsyncClient) -> None:
    for text in ("one", "two", "three"):
        await finished(site, await start(http, text, conversation="c"))
    await finished(site, await start(http, "elsewhere"))
    listed = (await http.get("/v1/runs?limit=2")).json()["data"]
    assert [run["message"] for run in listed] == ["elsewhere", "three"]
    of_one = (await http.get("/v1/runs?conversation=c")).json()["data"]
    assert [run["message"] for run in of_one] == ["three", "two", "one"]
    for limit in ("0", "101", "-1", "x", "", "9" * 30):
        assert (await http.get(f"/v1/runs?limit={limit}")).status_code == 400


async def test_a_run_is_watched_until_it_is_done(site: Site, http: httpx.AsyncClient) -> None:
    gate = asyncio.Event()
    site.inbox.script["slow"] = Answer("a b", deltas=["a "], waits=gate)
    run_id = await start(http, "slow")
    await site.inbox.spoke.wait()
    watching = asyncio.create_task(events(http, run_id))
    while not site.events.watched(run_id):
        await asyncio.sleep(0)
    gate.set()
    seen = await watching
    assert [kind for kind, _ in seen] == ["step", "done"]
    assert seen[0][1]["name"] == "scripted"
    assert seen[-1][1]["answer"] == "a b"


async def test_a_closed_run_is_told_at_once(site: Site, http: httpx.AsyncClient) -> None:
    run_id = await start(http)
    await finished(site, run_id)
    seen = await events(http, run_id)
    assert [kind for kind, _ in seen] == ["step", "done"]
    assert seen[-1][1]["status"] == "succeeded"


async def test_feedback_is_a_command_like_any_other(site: Site, http: httpx.AsyncClient) -> None:
    run_id = await start(http)
    await finished(site, run_id)
    said: list[str] = []
    for rating, text in ((1, ""), (-1, "too long"), ("up", ""), ("down", "wrong")):
        response = await http.post(
            f"/v1/runs/{run_id[-8:]}/feedback", json={"rating": rating, "text": text}
        )
        assert response.status_code == 200
        assert response.json()["run_id"] == run_id
        said.append(site.inbox.messages[-1].text)
    assert said == [
        f"/rate {run_id} up",
        f"/rate {run_id} down too long",
        f"/rate {run_id} up",
        f"/rate {run_id} down wrong",
    ]
    refused: tuple[object, ...] = (0, 2, True, None, "good", 1.0, [1], {})
    for wrong in refused:
        response = await http.post(f"/v1/runs/{run_id}/feedback", json={"rating": wrong})
        assert response.status_code == 400, wrong
    assert len(site.inbox.messages) == 5


async def test_refused_feedback_says_why(site: Site, http: httpx.AsyncClient) -> None:
    run_id = await start(http)
    site.inbox.script[f"/rate {run_id} up"] = Answer(
        status=RunStatus.REFUSED, error_type="forbidden", reply=Reply("Members only.")
    )
    response = await http.post(f"/v1/runs/{run_id}/feedback", json={"rating": "up"})
    assert (response.status_code, response.json()["error"]["message"]) == (403, "Members only.")


async def test_a_run_is_cancelled_once(site: Site, http: httpx.AsyncClient) -> None:
    site.inbox.script["slow"] = Answer("never said", waits=asyncio.Event())
    run_id = await start(http, "slow")
    first = (await http.post(f"/v1/runs/{run_id}/cancel")).json()
    assert first == {"run_id": run_id, "cancelled": True, "status": "cancelled"}
    second = (await http.post(f"/v1/runs/{run_id}/cancel")).json()
    assert second == {"run_id": run_id, "cancelled": False, "status": "cancelled"}


async def test_the_api_describes_itself(browser: httpx.AsyncClient) -> None:
    described = (await browser.get("/openapi.json")).json()
    assert {"/v1/chat/completions", "/v1/runs", "/v1/runs/{run_id}", "/healthz"} <= set(
        described["paths"]
    )


async def test_what_a_replay_did_again_fills_no_list(site: Site, http: httpx.AsyncClient) -> None:
    run_id = await start(http)
    await finished(site, run_id)
    await site.inbox.journal.accept(samples.run(kind=RunKind.REPLAY, channel="replay"))
    listed = (await http.get("/v1/runs")).json()["data"]
    assert [run["run_id"] for run in listed] == [run_id]
