"""The model over HTTP: answers, streams, tools, and every way a server can let one down."""

import asyncio

import pytest

from bot.errors import ConfigError, ContextTooLong, ModelError, ModelUnavailable
from bot.llm.resilience import RESTARTED
from bot.model.chat import ModelRequest, ToolCall, ToolSpec
from tests.bot.llm.conftest import Connect
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

CALCULATOR = ToolSpec("calculator", "Works it out.", {"type": "object", "properties": {}})


def ask(text: str = "ping", *, model: str = "", tools: tuple[ToolSpec, ...] = ()) -> ModelRequest:
    messages = ({"role": "system", "content": "Be brief."}, {"role": "user", "content": text})
    return ModelRequest(model, messages, tools, max_tokens=100)


@pytest.fixture(params=[False, True], ids=["whole", "streamed"])
def heard(request: pytest.FixtureRequest) -> list[str] | None:
    """Where a stream's pieces go; None asks without streaming."""
    return [] if request.param else None


async def test_answers_and_says_what_it_cost(connect: Connect, heard: list[str] | None) -> None:
    reply = await connect().complete(ask(), heard.append if heard is not None else None)
    assert reply.text == "You said: ping"
    assert (reply.finish_reason, reply.model) == ("stop", "small")
    usage = reply.usage
    assert usage.cost_usd == pytest.approx((usage.tokens_in + 2 * usage.tokens_out) / 1e6)
    assert usage.tokens_in > 0 and not usage.estimated
    assert heard is None or "".join(heard) == reply.text


async def test_sends_what_the_agent_wants_and_nothing_else(
    connect: Connect, server: ModelServer
) -> None:
    await connect().complete(ask(model="large", tools=(CALCULATOR,)))
    (request,) = server.requests
    assert request.headers["authorization"] == "Bearer sk-test"
    assert request.body["model"] == "large"
    assert request.body["tools"][0]["function"]["name"] == "calculator"
    assert set(request.body) == {"model", "messages", "max_tokens", "tools"}


async def test_calls_tools(connect: Connect, server: ModelServer, heard: list[str] | None) -> None:
    server.then(Answer(tool_calls=(("calculator", '{"expression": "6*7"}'), ("clock", "{}"))))
    reply = await connect().complete(ask(), heard.append if heard is not None else None)
    assert reply.finish_reason == "tool_calls"
    assert reply.tool_calls == (
        ToolCall("call_0", "calculator", '{"expression": "6*7"}'),
        ToolCall("call_1", "clock", "{}"),
    )


async def test_broken_tool_json_is_passed_on_as_it_is(
    connect: Connect, server: ModelServer
) -> None:
    server.then(broken_tool_json())
    (call,) = (await connect().complete(ask())).tool_calls
    assert call.arguments == '{"expression": "1+'


async def test_a_server_without_usage_gets_an_estimate(
    connect: Connect, server: ModelServer, heard: list[str] | None
) -> None:
    server.then(Answer("four words of answer", usage=False))
    reply = await connect().complete(ask(), heard.append if heard is not None else None)
    assert reply.usage.estimated
    assert reply.usage.tokens_out == 5
    assert reply.usage.cost_usd is not None and reply.usage.cost_usd > 0


async def test_an_unknown_model_costs_an_unknown_sum(connect: Connect) -> None:
    model = connect()
    assert (await model.complete(ask(model="nobody-knows-it"))).usage.cost_usd is None
    assert model.estimate(ask(model="nobody-knows-it")).cost_usd is None


async def test_a_server_that_needs_no_key(connect: Connect, server: ModelServer) -> None:
    await connect(api_key=None).complete(ask())
    assert server.requests[0].headers["authorization"] == "Bearer none"


@pytest.mark.parametrize("fault", [too_many(), server_error(), server_error(503), Drop()])
async def test_tries_again_what_fails_for_now(
    connect: Connect,
    server: ModelServer,
    waits: list[float],
    heard: list[str] | None,
    fault: Failure | Drop,
) -> None:
    server.then(fault, fault)
    reply = await connect().complete(ask(), heard.append if heard is not None else None)
    assert reply.text == "You said: ping"
    assert len(waits) == 2 and 0.25 <= waits[0] <= 0.5 <= waits[1] <= 1.0


async def test_waits_as_long_as_the_server_asks(
    connect: Connect, server: ModelServer, waits: list[float]
) -> None:
    server.then(too_many(retry_after="7"))
    await connect().complete(ask())
    assert waits == [7.0]


async def test_a_wait_nobody_would_sit_through_is_told(
    connect: Connect, server: ModelServer, waits: list[float]
) -> None:
    server.then(too_many(retry_after="600"))
    with pytest.raises(ModelUnavailable) as raised:
        await connect().complete(ask())
    assert raised.value.retry_after == 600 and "600 s" in raised.value.said
    assert waits == [] and raised.value.usage.cost_usd == 0


async def test_gives_up_after_its_retries(connect: Connect, server: ModelServer) -> None:
    server.then(*[server_error()] * 3)
    with pytest.raises(ModelUnavailable, match="HTTP 500") as raised:
        await connect().complete(ask())
    assert raised.value.retry and "small" in raised.value.said
    assert server.served == 3


@pytest.mark.parametrize("fault", [server_error(), Failure(404, "no such model")])
async def test_falls_back_to_the_next_model(
    connect: Connect, server: ModelServer, fault: Failure
) -> None:
    server.then(fault)
    reply = await connect(fallbacks=("large",), retries=0).complete(ask())
    assert (reply.model, reply.text) == ("large", "You said: ping")


async def test_a_rejected_key_is_final_and_names_the_setting(
    connect: Connect, server: ModelServer
) -> None:
    server.then(unauthorized())
    with pytest.raises(ModelError) as raised:
        await connect(fallbacks=("large",)).complete(ask())
    assert "OPENAI_API_KEY" in raised.value.said and not raised.value.retry
    assert server.served == 1


@pytest.mark.parametrize(
    "fault",
    [
        context_length(),
        Failure(413, "Payload too large"),
        Failure(400, "prompt is too long: 210000 tokens > 200000 maximum"),
        Failure(400, "the request exceeds the available context size, try increasing it"),
    ],
)
async def test_a_conversation_too_long_is_told_apart(
    connect: Connect, server: ModelServer, fault: Failure
) -> None:
    server.then(fault)
    with pytest.raises(ContextTooLong) as raised:
        await connect().complete(ask())
    assert "shorten" in raised.value.said and server.served == 1


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Failure(429, "You exceeded your quota", "insufficient_quota"), "credit"),
        (Failure(400, "Filtered", "content_filter"), "withheld"),
        (Failure(400, "messages[0] is odd"), "messages[0] is odd"),
        (content_filter("Half of"), "withheld"),
        (Answer("", finish="length"), "max_tokens"),
    ],
)
async def test_what_is_final_is_not_tried_again(
    connect: Connect, server: ModelServer, fault: Failure | Answer, words: str
) -> None:
    server.then(fault)
    with pytest.raises(ModelError) as raised:
        await connect().complete(ask())
    assert words in raised.value.said and not raised.value.retry and server.served == 1


@pytest.mark.parametrize("end", ["truncated", "cut", "corrupt", "empty"])
async def test_a_broken_answer_is_asked_for_again_and_paid_for(
    connect: Connect, server: ModelServer, heard: list[str] | None, end: str
) -> None:
    model, text = connect(), "one two three four five six"
    server.then(Answer(text, end=end), Answer(text))
    reply = await model.complete(ask(), heard.append if heard is not None else None)
    once = await model.complete(ask("ping"))
    assert reply.text == text
    assert heard is None or "".join(heard) == text
    assert reply.usage.cost_usd is not None and once.usage.cost_usd is not None
    assert reply.usage.cost_usd > once.usage.cost_usd


@pytest.mark.parametrize("end", ["truncated", "cut", "corrupt", "empty"])
async def test_a_server_that_only_breaks_is_unavailable_and_its_cost_is_kept(
    connect: Connect, server: ModelServer, heard: list[str] | None, end: str
) -> None:
    server.then(*[Answer("one two three four", end=end)] * 3)
    with pytest.raises(ModelUnavailable) as raised:
        await connect().complete(ask(), heard.append if heard is not None else None)
    assert raised.value.retry and "try again" in raised.value.said
    assert raised.value.usage.cost_usd is not None and raised.value.usage.cost_usd > 0


async def test_an_answer_that_comes_out_differently_says_that_it_starts_again(
    connect: Connect, server: ModelServer
) -> None:
    heard: list[str] = []
    server.then(Answer("The answer is one hundred", end="cut"), Answer("It is one hundred."))
    reply = await connect().complete(ask(), heard.append)
    assert reply.text == "It is one hundred."
    assert "".join(heard).endswith(RESTARTED + "It is one hundred.")


async def test_a_slow_server_times_out(connect: Connect, server: ModelServer) -> None:
    never = asyncio.Event()
    server.then(Wait(until=never), Wait(until=never))
    with pytest.raises(ModelUnavailable) as raised:
        await connect(timeout=0.05, retries=1).complete(ask())
    assert "longer than 0.05 s" in raised.value.said
    assert raised.value.usage.tokens_in > 0 and raised.value.usage.estimated


async def test_nobody_listens(connect: Connect, server: ModelServer) -> None:
    url = server.url
    await server.stop()
    with pytest.raises(ModelUnavailable) as raised:
        await connect(base_url=url).complete(ask())
    assert "OPENAI_BASE_URL" in raised.value.said and raised.value.usage.cost_usd == 0


@pytest.mark.parametrize("body", ["", "<html>gateway</html>", "[]", "5", '{"choices": 7}'])
async def test_garbage_is_unavailable_not_a_crash(
    connect: Connect, server: ModelServer, body: str
) -> None:
    server.then(*[Failure(200, body=body)] * 3)
    with pytest.raises(ModelUnavailable):
        await connect().complete(ask())


@pytest.mark.parametrize("param", ["max_tokens", "temperature"])
async def test_learns_which_parameter_a_model_refuses(
    connect: Connect, server: ModelServer, waits: list[float], param: str
) -> None:
    model = connect()
    server.then(Failure(400, f"Unsupported parameter: '{param}' is not supported"))
    request = ModelRequest("", ask().messages, temperature=0.5)
    await model.complete(request)
    await model.complete(request)
    assert param in server.chats[0]
    assert all(param not in body for body in server.chats[1:])
    assert server.served == 3 and waits == []
    assert param != "max_tokens" or server.chats[1]["max_completion_tokens"] == 2048


async def test_the_estimate_covers_what_is_charged(connect: Connect) -> None:
    model = connect(fallbacks=("large",))
    request = ask("What is the refund window?", tools=(CALCULATOR,))
    most, real = model.estimate(request).cost_usd, (await model.complete(request)).usage.cost_usd
    assert most is not None and real is not None
    assert most > 10 * real, "a fallback may be dearer"


async def test_a_malformed_key_is_named_before_anything_starts(connect: Connect) -> None:
    with pytest.raises(ConfigError, match="OPENAI_API_KEY"):
        connect(api_key="sk-one\nsk-two")


async def test_a_malformed_url_is_named(connect: Connect) -> None:
    with pytest.raises(ConfigError, match="OPENAI_BASE_URL"):
        await connect(base_url="http://host:port/v1").warm()


async def test_many_at_once(connect: Connect, server: ModelServer) -> None:
    model = connect()
    replies = await asyncio.gather(*(model.complete(ask(str(n))) for n in range(64)))
    assert [r.text for r in replies] == [f"You said: {n}" for n in range(64)]


async def test_a_stopped_call_says_what_it_has_cost(connect: Connect, server: ModelServer) -> None:
    server.then(Wait(until=asyncio.Event()))
    asked = asyncio.create_task(connect().complete(ask(), lambda text: None))
    while not server.in_flight:
        await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError) as raised:
        await asked
    usage = vars(raised.value)["usage"]
    assert usage.estimated and usage.tokens_in > 0 and usage.cost_usd > 0
