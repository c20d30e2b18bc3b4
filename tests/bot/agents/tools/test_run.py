"""A tool call ends in a text or in a ToolError with words for the model, and never otherwise."""

import asyncio
import json
from typing import Annotated

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import Field

from bot.agents.tools import TOOLS
from bot.agents.tools.base import Tool, ToolContext, tool
from bot.agents.tools.run import call, granted
from bot.errors import StorageError, ToolError
from tests.bot.agents.tools.house import bare
from tests.conftest import HeldClock


@tool(max_chars=20)
async def echo(
    ctx: ToolContext,
    *,
    text: Annotated[str, Field(max_length=100), "What to say."],
    times: Annotated[int, Field(ge=1, le=50)] = 1,
) -> str:
    """Says it."""
    return text * times


@tool(seconds=0.01)
async def hang(ctx: ToolContext) -> str:
    """Never ends."""
    await asyncio.Event().wait()
    return "never"


@tool()
async def fail(ctx: ToolContext, *, how: str) -> object:
    """Fails in many ways."""
    raise {
        "ours": StorageError("the cause", said="The database is away."),
        "tool": ToolError("No such thing."),
        "bug": KeyError("inner secret"),
        "time": TimeoutError("not the limit"),
        "cancel": asyncio.CancelledError(),
    }[how]


@tool()
async def table(ctx: ToolContext) -> object:
    """Gives JSON values."""
    return {"rows": [1, None, "ü"]}


@pytest.fixture
def ctx(clock: HeldClock) -> ToolContext:
    return bare(clock)


async def failing(ctx: ToolContext, wanted: Tool, arguments: str) -> str:
    with pytest.raises(ToolError) as raised:
        await call(wanted, ctx, arguments)
    return str(raised.value)


async def test_results_are_text_and_no_longer_than_they_may_be(ctx: ToolContext) -> None:
    assert await call(echo, ctx, '{"text": "hi"}') == "hi"
    assert await call(echo, ctx, '{"text": "abcd", "times": "9"}') == (
        "abcdabcdabcdabcdabcd… cut at 20 characters"
    )
    assert await call(table, ctx, "") == '{"rows": [1, null, "ü"]}'


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("{broken", "not valid JSON"),
        ('{"text": "a"} trailing', "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("1" * 10_000, "not valid JSON"),
        ("[1]", "one JSON object"),
        ("null", "one JSON object"),
        ("{}", "text: Field required"),
        ('{"text": 7}', "text: "),
        ('{"text": "a", "times": 99}', "times: "),
        ('{"text": "' + "a" * 200_000 + '"}', "longer than"),
    ],
)
async def test_broken_arguments_come_back_with_what_to_do(
    ctx: ToolContext, arguments: str, says: str
) -> None:
    said = await failing(ctx, echo, arguments)

    assert says in said
    assert "longer than" in says or "Call echo with {text, times} and try again." in said


async def test_a_tool_that_hangs_is_stopped(ctx: ToolContext) -> None:
    assert await failing(ctx, hang, "{}") == "hang took longer than 0.01 seconds and was stopped."


async def test_whatever_a_tool_raises_is_told_without_its_insides(ctx: ToolContext) -> None:
    assert await failing(ctx, fail, '{"how": "tool"}') == "No such thing."
    assert await failing(ctx, fail, '{"how": "ours"}') == "fail failed: The database is away."
    assert await failing(ctx, fail, '{"how": "bug"}') == "fail failed: KeyError."
    assert await failing(ctx, fail, '{"how": "time"}') == "fail failed: TimeoutError."
    with pytest.raises(asyncio.CancelledError):
        await call(fail, ctx, '{"how": "cancel"}')


def test_only_tools_that_exist_are_granted() -> None:
    names = ["calculator", "shell", "recall", "calculator", "", "__import__"]

    assert [t.name for t in granted(names)] == ["calculator", "recall"]
    assert granted([]) == ()


def test_each_tool_explains_itself_and_its_arguments() -> None:
    for each in TOOLS:
        schema = each.spec.parameters
        assert len(each.spec.description) > 20
        assert schema["type"] == "object"
        properties = schema["properties"]
        assert isinstance(properties, dict)
        for name, part in properties.items():
            assert part.get("description"), (each.name, name)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.sampled_from(TOOLS),
    st.one_of(
        st.text(max_size=40),
        st.dictionaries(
            st.sampled_from(["expression", "timezone", "url", "question", "text", "period"]),
            st.one_of(st.text(max_size=30), st.integers(), st.none()),
            max_size=3,
        ).map(json.dumps),
    ),
)
def test_no_arguments_make_a_tool_raise_anything_else(
    ctx: ToolContext, wanted: Tool, arguments: str
) -> None:
    async def once() -> None:
        try:
            await call(wanted, ctx, arguments)
        except ToolError as error:
            assert str(error)

    asyncio.run(once())
