"""The OpenAI-compatible endpoints, by the official client and by hand."""

import asyncio
import json
from typing import Any

import httpx
import openai as sdk
import pytest
from openai import AsyncOpenAI

from bot.errors import StorageError
from bot.model.message import Button, Card, Reply
from bot.model.run import RunStatus, Usage
from tests.fakes.answering_inbox import Answer
from tests.handlers.web.conftest import Site

URL = "/v1/chat/completions"


def ask(text: object = "hello", **more: object) -> dict[str, object]:
    return {"model": "ratchet", "messages": [{"role": "user", "content": text}], **more}


async def test_the_official_client_gets_an_answer(site: Site, openai: AsyncOpenAI) -> None:
    raw = await openai.chat.completions.with_raw_response.create(
        model="ratchet",
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": "hello"},
            {"role": "user", "content": [{"type": "text", "text": "how are you?"}]},
        ],
        user="u-7",
    )
    answer = raw.parse()
    message = site.inbox.messages[0]
    assert answer.choices[0].message.content == "You said: how are you?"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.total_tokens) == (12, 17)
    assert message.history == (("system", "Be brief."), ("user", "hi"), ("assistant", "hello"))
    assert (message.channel, message.sender.external_id) == ("api", "u-7")
    assert not message.sender.trusted_local
    run = await site.runs.get("local", raw.headers["x-ratchet-run-id"])
    assert run is not None and answer.id == f"chatcmpl-{run.id}"


async def test_a_stream_brings_deltas_the_rest_the_usage_and_the_end(
    site: Site, openai: AsyncOpenAI
) -> None:
    site.inbox.script["tell me"] = Answer("One two three", deltas=["One ", "two "])
    stream = await openai.chat.completions.create(
        model="ratchet",
        messages=[{"role": "user", "content": "tell me"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = [chunk async for chunk in stream]
    said = [c.choices[0].delta.content for c in chunks if c.choices]
    assert [text for text in said if text] == ["One ", "two ", "three"]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage is not None and chunks[-1].usage.completion_tokens == 5


async def test_a_stream_without_deltas_brings_the_answer_whole(openai: AsyncOpenAI) -> None:
    stream = await openai.chat.completions.create(
        model="ratchet", messages=[{"role": "user", "content": "x"}], stream=True
    )
    said = [c.choices[0].delta.content async for c in stream]
    assert [text for text in said if text] == ["You said: x"]


async def test_deltas_come_while_the_run_is_under_way(site: Site, openai: AsyncOpenAI) -> None:
    gate = asyncio.Event()
    site.inbox.script["slow"] = Answer("first, then second", deltas=["first"], waits=gate)
    stream = await openai.chat.completions.create(
        model="ratchet", messages=[{"role": "user", "content": "slow"}], stream=True
    )
    first = await anext(aiter(stream))
    assert first.choices[0].delta.content == "first"
    gate.set()
    rest = [c.choices[0].delta.content or "" async for c in stream]
    assert "".join(rest) == ", then second"


async def test_a_client_that_leaves_does_not_stop_the_run(
    site: Site, http: httpx.AsyncClient
) -> None:
    gate = asyncio.Event()
    site.inbox.script["slow"] = Answer("all of it", deltas=["all"], waits=gate)
    async with http.stream("POST", URL, json=ask("slow", stream=True)) as response:
        run_id = response.headers["x-ratchet-run-id"]
        await anext(response.aiter_lines())
    gate.set()
    run = await site.inbox.wait("local", run_id, 5)
    assert run.status is RunStatus.SUCCEEDED and run.answer == "all of it"


async def test_a_run_that_fails_under_way_ends_the_stream_with_an_error(
    site: Site, openai: AsyncOpenAI
) -> None:
    site.inbox.script["break"] = Answer(
        deltas=["so far "],
        status=RunStatus.FAILED,
        error_type="model_unavailable",
        reply=Reply("The model is down; try later."),
    )
    stream = await openai.chat.completions.create(
        model="ratchet", messages=[{"role": "user", "content": "break"}], stream=True
    )
    with pytest.raises(sdk.APIError, match="The model is down"):
        async for _ in stream:
            pass


async def test_the_models_are_the_agents(openai: AsyncOpenAI) -> None:
    assert [m.id async for m in openai.models.list()] == [
        "ratchet",
        "ratchet/generalist",
        "ratchet/researcher",
    ]
    assert (await openai.models.retrieve("ratchet/researcher")).id == "ratchet/researcher"
    with pytest.raises(sdk.NotFoundError):
        await openai.models.retrieve("ratchet/nobody")


async def test_a_model_names_its_agent(site: Site, openai: AsyncOpenAI) -> None:
    await openai.chat.completions.create(
        model="ratchet/researcher", messages=[{"role": "user", "content": "look"}]
    )
    assert site.inbox.messages[0].agent == "researcher"
    for unknown in ("ratchet/nobody", "gpt-4o", "ratchet/", "researcher"):
        with pytest.raises(sdk.NotFoundError) as caught:
            await openai.chat.completions.create(
                model=unknown, messages=[{"role": "user", "content": "look"}]
            )
        assert caught.value.code == "model_not_found"
    assert len(site.inbox.messages) == 1


@pytest.mark.parametrize("path", [URL, "/v1/models", "/v1/runs", "/v1/nothing", "/v1"])
async def test_nothing_under_v1_without_the_key(
    site: Site, browser: httpx.AsyncClient, path: str
) -> None:
    for given in ("", "Bearer", "Bearer wrong", "Basic sk-ratchet-test", "Bearer é"):
        headers = {b"authorization": given.encode()} if given else {}
        response = await browser.post(path, headers=headers, json=ask())
        assert response.status_code == 401
        assert response.json()["error"]["code"] == "invalid_api_key"
    assert not site.inbox.messages


_ENDS = [
    (RunStatus.REFUSED, "over_budget", 429, "over_budget"),
    (RunStatus.REFUSED, "bad_input", 400, "bad_input"),
    (RunStatus.REFUSED, "too_long", 400, "message_too_long"),
    (RunStatus.REFUSED, "forbidden", 403, "forbidden"),
    (RunStatus.FAILED, "model_unavailable", 503, "model_unavailable"),
    (RunStatus.FAILED, "model", 502, "model_error"),
    (RunStatus.FAILED, "context_too_long", 400, "context_length_exceeded"),
    (RunStatus.FAILED, "internal", 500, "internal"),
    (RunStatus.FAILED, "something new", 500, "internal"),
    (RunStatus.EXPIRED, "expired", 504, "expired"),
    (RunStatus.CANCELLED, "cancelled", 409, "cancelled"),
]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_run_without_an_answer_is_an_error(
    site: Site, http: httpx.AsyncClient, stream: bool
) -> None:
    for status, error_type, expected, code in _ENDS:
        reply = Reply("What to do.")
        site.inbox.script["hello"] = Answer(status=status, error_type=error_type, reply=reply)
        response = await http.post(URL, json=ask(stream=stream))
        error = response.json()["error"]
        assert (response.status_code, error["code"]) == (expected, code)
        assert error["message"] == "What to do."
        assert set(error) == {"message", "type", "param", "code"}
        run = await site.runs.get("local", response.headers["x-ratchet-run-id"])
        assert run is not None and run.status is status


async def test_what_a_stopped_run_had_said_is_its_answer(
    site: Site, http: httpx.AsyncClient
) -> None:
    site.inbox.script["hello"] = Answer("half of", status=RunStatus.CANCELLED)
    response = await http.post(URL, json=ask())
    assert response.json()["choices"][0]["message"]["content"] == "half of"


_NO_OBJECTS = (
    b"",
    b"{",
    b"[]",
    b'"text"',
    b"null",
    b'{"model": NaN, "messages": []}',
    b"[" * 100_000,
    b'{"messages": [{"role": "user", "content": "\xff\xfe"}]}',
    b'{"messages": ' + b"9" * 5000 + b"}",
)


async def test_a_body_that_is_no_json_object_is_refused(http: httpx.AsyncClient) -> None:
    for body in _NO_OBJECTS:
        response = await http.post(URL, content=body)
        assert response.status_code == 400, body[:50]
        assert response.json()["error"]["type"] == "invalid_request_error"


_NONSENSE: list[dict[str, Any]] = [
    {},
    {"messages": []},
    {"messages": None},
    {"messages": "hello"},
    {"messages": ["hello"]},
    {"messages": [{}]},
    {"messages": [{"role": "user"}]},
    {"messages": [{"role": 7, "content": "x"}]},
    {"messages": [{"role": ["user"], "content": "x"}]},
    {"messages": [{"role": "king", "content": "x"}]},
    {"messages": [{"role": "user", "content": 7}]},
    {"messages": [{"role": "user", "content": ""}]},
    {"messages": [{"role": "user", "content": " \n "}]},
    {"messages": [{"role": "user", "content": []}]},
    {"messages": [{"role": "user", "content": ["x"]}]},
    {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
    {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]},
    {"messages": [{"role": "system", "content": "x"}]},
    {"messages": [{"role": "tool", "content": "x"}]},
    {"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]},
    {"messages": [{"role": "user", "content": "a\0b"}]},
    {"messages": [{"role": "user", "content": "\ud800"}]},
    ask(model=7),
    ask(stream="yes"),
    ask(stream_options=[]),
    ask(stream_options={"include_usage": "yes"}),
    ask(user=["me"]),
    ask(user="a\0"),
    ask(temperature="hot"),
    ask(max_tokens=True),
    ask(n=2),
]


async def test_a_request_that_makes_no_sense_is_refused(
    site: Site, http: httpx.AsyncClient
) -> None:
    for body in _NONSENSE:
        response = await http.post(URL, content=json.dumps(body))
        assert response.status_code == 400, body
        assert response.json()["error"]["message"]
    assert not site.inbox.messages


async def test_a_large_body_is_refused_and_a_long_one_is_taken(
    site: Site, http: httpx.AsyncClient
) -> None:
    assert (await http.post(URL, json=ask("x" * 1_000_000))).status_code == 200
    response = await http.post(URL, json=ask("x" * 2_100_000))
    assert (response.status_code, response.json()["error"]["code"]) == (413, "too_large")

    async def endless() -> Any:
        for _ in range(40):
            yield b"x" * 65_536

    response = await http.post(URL, content=endless())
    assert response.status_code == 413
    assert (await http.get("/healthz")).status_code == 200


async def test_any_language_comes_through(http: httpx.AsyncClient) -> None:
    text = "שלום 👩‍👩‍👧 مرحبا \u202e"
    answer = (await http.post(URL, json=ask(text))).json()
    assert answer["choices"][0]["message"]["content"] == f"You said: {text}"


async def test_a_repeated_key_is_the_same_run(site: Site, http: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "order-7"}
    first, second = [await http.post(URL, json=ask(), headers=headers) for _ in "12"]
    assert first.json() == second.json()
    assert len(site.inbox.messages) == 1
    streamed = await http.post(URL, json=ask(stream=True), headers=headers)
    assert "You said: hello" in streamed.text and streamed.text.endswith("data: [DONE]\n\n")
    other = await http.post(URL, json=ask("something else"), headers=headers)
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_key_reused")


async def test_a_key_that_is_none_is_refused(http: httpx.AsyncClient) -> None:
    for key in ("", "x" * 256, "é"):
        headers = {b"idempotency-key": key.encode()}
        response = await http.post(URL, json=ask(), headers=headers)
        assert response.status_code == 400


async def test_each_call_is_a_conversation_of_its_own_unless_named(
    site: Site, http: httpx.AsyncClient
) -> None:
    await http.post(URL, json=ask())
    await http.post(URL, json=ask())
    await http.post(URL, json=ask(), headers={"X-Ratchet-Conversation": "console:mine"})
    first, second, named = site.inbox.messages
    assert first.conversation != second.conversation
    assert first.conversation.endswith(first.event_id)
    assert named.conversation == "api:console:mine"


async def test_a_card_is_told_in_words(site: Site, http: httpx.AsyncClient) -> None:
    card = Card("Remember the tone", diff="+ be kind", ref="P1")
    site.inbox.script["hello"] = Answer(
        reply=Reply("Here it is.", card=card, buttons=(Button("Approve", "/approve P1"),))
    )
    content = (await http.post(URL, json=ask())).json()["choices"][0]["message"]["content"]
    assert "Here it is." in content and "+ be kind" in content and "/approve P1" in content


async def test_a_database_that_cannot_take_it_is_said(site: Site, http: httpx.AsyncClient) -> None:
    site.inbox.refusals.append(StorageError("disk full", said="I can't store that right now."))
    response = await http.post(URL, json=ask())
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert response.json()["error"]["message"] == "I can't store that right now."


async def test_what_breaks_inside_is_a_500_without_the_inside(
    site: Site, http: httpx.AsyncClient
) -> None:
    site.inbox.refusals.append(RuntimeError("secret detail"))
    response = await http.post(URL, json=ask())
    assert response.status_code == 500
    assert "secret" not in response.text and response.json()["error"]["code"] == "internal"


async def test_an_unknown_cost_is_no_cost_of_zero(site: Site, http: httpx.AsyncClient) -> None:
    site.inbox.script["hello"] = Answer("x", usage=Usage(1, 1, 0, None))
    run_id = (await http.post(URL, json=ask())).headers["x-ratchet-run-id"]
    assert (await http.get(f"/v1/runs/{run_id}")).json()["cost_usd"] is None
