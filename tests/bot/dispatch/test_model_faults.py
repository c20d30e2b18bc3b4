"""Whatever a model server does: a clear message, an error in the log, the process goes on."""

import asyncio
import json
from collections.abc import Sequence

import pytest

from bot.app import App
from bot.model.run import RunStatus, StepKind
from tests.bot.dispatch.saying import buttons, ended, kept, said, say, start, steps
from tests.fakes.model_answers import Turn
from tests.fakes.model_server import (
    Answer,
    Drop,
    Failure,
    ModelServer,
    Wait,
    broken_tool_json,
    content_filter,
    context_length,
    server_error,
    too_many,
    unauthorized,
)

HUGE = 10**30


def whole(**changes: object) -> Failure:
    """A plain answer in OpenAI's form, with whatever a test puts in place of its parts."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": "fine"},
        "finish_reason": "stop",
    }
    return Failure(200, body=json.dumps({"model": "small", "choices": [choice], **changes}))


@pytest.mark.parametrize(
    ("turns", "error_type", "words"),
    [
        ([unauthorized()], "model", "OPENAI_API_KEY"),
        ([too_many("120")], "model_unavailable", "in about 120 s"),
        ([server_error()], "model_unavailable", "try again"),
        ([Drop()], "model_unavailable", "OPENAI_BASE_URL"),
        ([Answer("one two three", end="truncated")], "model_unavailable", "try again"),
        ([Answer("one two three", end="cut")], "model_unavailable", "try again"),
        ([Answer("one two three", end="corrupt")], "model_unavailable", "Please try again"),
        ([Answer(end="empty")], "model_unavailable", "empty answer"),
        ([content_filter()], "model", "content filter"),
        ([context_length()], "context_too_long", "too long for the model"),
        ([Failure(404, "no such model")], "model", "RATCHET_MODEL"),
        ([Failure(200, body="<html>hello</html>")], "model_unavailable", "Please try again"),
        ([Failure(200, body="[]")], "model_unavailable", "Please try again"),
        ([Failure(200, body="null")], "model_unavailable", "Please try again"),
        ([Failure(200, body='"text"')], "model_unavailable", "Please try again"),
        ([Failure(200, body="\x00\xff" * 50)], "model_unavailable", "Please try again"),
        ([whole(choices=[3])], "model_unavailable", "Please try again"),
        ([whole(choices={"a": 1})], "model_unavailable", "try again"),
        ([whole(choices="text")], "model_unavailable", "Please try again"),
        ([Answer(" \n\t ")], "model_unavailable", "empty answer"),
        ([Answer(finish="length")], "model", "max_tokens"),
    ],
)
async def test_a_fault_is_said_and_logged_and_the_next_question_is_answered(
    app: App,
    model: ModelServer,
    turns: Sequence[Turn],
    error_type: str,
    words: str,
) -> None:
    model.then(*turns)
    await fails(app, error_type, words)
    model.then(*turns)
    with app.services.events.watch():  # who watches gets the answer as a stream
        await fails(app, error_type, words)
    assert said(await say(app, "and now")) == "You said: and now"


async def fails(app: App, error_type: str, words: str) -> None:
    run = await say(app, "hello")
    assert run.status is RunStatus.FAILED
    assert run.error_type == error_type
    assert words in said(run)
    assert run.outcome.y == 0.0
    logged = await kept(app, run)
    assert logged.error_message and logged.status is RunStatus.FAILED
    asked = [step for step in await steps(app, run) if step.kind is StepKind.MODEL]
    assert [step.error_type for step in asked] == [error_type]
    if error_type == "model_unavailable":
        assert buttons(run) == [f"/retry {run.short}"]


@pytest.mark.parametrize("more", [{"RATCHET_MODEL_TIMEOUT": "0.05"}])
async def test_a_model_that_takes_too_long_is_given_up(app: App, model: ModelServer) -> None:
    model.then(Wait(until=asyncio.Event()))
    run = await say(app, "hello")
    assert run.status is RunStatus.FAILED and "took longer than 0.05 s" in said(run)


@pytest.mark.parametrize("more", [{"RATCHET_MODEL_RETRIES": "2"}])
async def test_what_fails_for_now_is_tried_again_unseen(app: App, model: ModelServer) -> None:
    model.then(too_many("0"), Answer("half an", end="truncated"))
    run = await say(app, "hello")
    assert run.status is RunStatus.SUCCEEDED and said(run) == "You said: hello"
    assert len(model.chats) == 3


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (broken_tool_json(), "not valid JSON"),
        (Answer(tool_calls=(("rm_rf", "{}"),)), "There is no tool"),
        (Answer(tool_calls=(("calculator", "[1]"),)), "one JSON object"),
        (Answer(tool_calls=(("calculator", '{"wrong": 1}'),)), "don't fit"),
        (Answer(tool_calls=(("calculator", "[" * 100_000),)), "not valid JSON"),
        (Answer(tool_calls=(("calculator", '{"expression": "' + "9" * 200_000 + '"}'),)), "longer"),
        (Answer(tool_calls=(("calculator", '{"expression": "9**9**9**9"}'),)), "Error"),
    ],
)
async def test_a_wrong_tool_call_goes_back_to_the_model(
    app: App, model: ModelServer, call: Answer, complaint: str
) -> None:
    model.then(call, "I could not work that out.")
    run = await say(app, "hello")
    assert said(run) == "I could not work that out."
    assert complaint in str(model.chats[1]["messages"][-1]["content"])
    used = [step for step in await steps(app, run) if step.kind is StepKind.TOOL]
    assert [step.error_type for step in used] == ["tool"]


async def test_a_model_that_only_calls_tools_is_stopped(app: App, model: ModelServer) -> None:
    model.reply = lambda body: Answer(tool_calls=(("calculator", '{"expression": "1+1"}'),))
    run = await say(app, "hello")
    assert run.status is RunStatus.FAILED and "rounds of tool calls" in said(run)


async def test_a_conversation_too_long_for_the_model_is_trimmed_once(
    app: App, model: ModelServer
) -> None:
    for n in range(4):
        await say(app, f"question {n}", conversation="long")
    model.then(context_length())
    run = await say(app, "and the last one", conversation="long")
    assert said(run) == "You said: and the last one"
    longer, shorter = (len(body["messages"]) for body in model.chats[-2:])
    assert shorter < longer

    model.then(context_length(), context_length())
    run = await say(app, "another", conversation="long")
    assert run.error_type == "context_too_long" and "too long for the model" in said(run)


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": HUGE, "completion_tokens": -5, "total_tokens": "x"},
        {"prompt_tokens": "many", "completion_tokens": None},
        {"prompt_tokens": 1e300, "prompt_tokens_details": {"cached_tokens": HUGE}},
        [1, 2],
        "free",
    ],
)
async def test_impossible_token_counts_break_nothing(
    app: App, model: ModelServer, usage: object
) -> None:
    model.then(whole(usage=usage))
    assert said(await say(app, "hello")) == "fine"
    assert said(await say(app, "and now")) == "You said: and now"


@pytest.mark.parametrize(
    "text", ["half \ud83d a pair", "a \x00 null", "\x1b[31mred", "\u202etxt.exe"]
)
async def test_an_answer_that_is_no_proper_text_is_kept_all_the_same(
    app: App, model: ModelServer, text: str
) -> None:
    model.then(text)
    with app.services.events.watch():
        run = await say(app, "hello")
    assert run.status is RunStatus.SUCCEEDED
    assert (await kept(app, run)).answer == run.answer
    run.answer.encode()


async def test_names_that_a_model_makes_up_can_be_stored(app: App, model: ModelServer) -> None:
    odd = "tool\ud83d\x00" + "x" * 5000
    model.then(Answer(tool_calls=((odd, '{"a": "\ud83d\x00"}'),)), "done")
    run = await say(app, "hello")
    assert said(run) == "done"


async def test_what_a_server_says_of_its_error_holds_no_secret(
    app: App, model: ModelServer
) -> None:
    secret = "sk-proj-abcdefghijklmnop1234567890"
    model.then(Failure(418, f"I am a teapot with the key {secret}"))
    run = await kept(app, await say(app, "hello"))
    assert "teapot" in said(run)
    assert secret not in str(run) and secret not in str(await steps(app, run))


async def test_what_was_said_before_a_stop_holds_no_secret(app: App, model: ModelServer) -> None:
    """Text that was streamed goes through the same redaction as a whole answer."""
    secret = "sk-proj-abcdefghijklmnop1234567890"
    slow = asyncio.Event()
    model.then(
        Answer(f"the key is {secret} and", tool_calls=(("calculator", '{"expression": "1"}'),))
    )
    model.then(Wait(until=slow))
    with app.services.events.watch() as queue:
        run_id = await start(app, "hello")
        while (await queue.get()).kind != "delta":
            pass
        while model.in_flight == 0:
            await asyncio.sleep(0)
        assert await app.inbox.cancel("local", run_id)
    run = await kept(app, await ended(app, run_id))
    assert run.status is RunStatus.CANCELLED
    assert "the key is" in said(run) and "the key is" in run.answer
    assert secret not in str(run)
