"""Answers in every dialect of the format, and none of it can break the reader."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.llm import wire
from bot.model.chat import ModelRequest, ToolCall
from bot.model.run import Usage

REQUEST = ModelRequest("m", ({"role": "user", "content": "hi"},))


def received(*answers: object) -> wire.Received:
    found = wire.Received(REQUEST, "m")
    for answer in answers:
        found.take(answer)
    return found


def delta(**parts: object) -> dict[str, Any]:
    return {"choices": [{"delta": parts}]}


def test_calls_in_pieces_are_told_apart_by_index() -> None:
    found = received(
        delta(tool_calls=[{"index": 0, "id": "a", "function": {"name": "x", "arguments": '{"n'}}]),
        delta(tool_calls=[{"index": 1, "id": "b", "function": {"name": "y", "arguments": "{}"}}]),
        delta(tool_calls=[{"index": 0, "function": {"arguments": '": 1}'}}]),
    )
    assert found.calls == (ToolCall("a", "x", '{"n": 1}'), ToolCall("b", "y", "{}"))


def test_calls_without_index_or_id_and_with_arguments_as_an_object() -> None:
    found = received(
        delta(tool_calls=[{"id": "a", "function": {"name": "x", "arguments": {"n": 1}}}]),
        delta(tool_calls=[{"id": "b", "function": {"name": "y"}}]),
        delta(tool_calls=[{"function": {"arguments": "{}"}}]),
    )
    assert found.calls == (ToolCall("a", "x", '{"n": 1}'), ToolCall("b", "y", "{}"))
    (call,) = received(delta(tool_calls=[{"function": {"name": "x", "arguments": "{}"}}])).calls
    assert call.id == "call_0"


def test_text_in_parts_and_a_refusal() -> None:
    parts = [
        {"type": "text", "text": "Hello "},
        {"type": "thinking"},
        {"type": "text", "text": "!"},
    ]
    assert received({"choices": [{"message": {"content": parts}}]}).text == "Hello !"
    refused = {"choices": [{"message": {"content": None, "refusal": "I can't."}}]}
    assert received(refused).text == "I can't."


def test_cached_tokens_are_counted_apart() -> None:
    details: dict[str, object] = {
        "prompt_tokens": 9,
        "completion_tokens": 3,
        "prompt_tokens_details": None,
    }
    assert received({"usage": details}).counts() == Usage(9, 3)
    details["prompt_tokens_details"] = {"cached_tokens": 4}
    assert received({"usage": details}).counts() == Usage(9, 3, 4)


_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
_NAMES = (
    "choices delta message content refusal tool_calls index id function name arguments usage "
    "prompt_tokens completion_tokens prompt_tokens_details cached_tokens model finish_reason "
    "text type"
)
_KEYS = st.sampled_from(_NAMES.split())
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=25,
)


@given(st.lists(_JSON | st.builds(lambda m: {"choices": [{"delta": m}]}, _JSON), max_size=4))
def test_no_answer_breaks_the_reader(answers: list[object]) -> None:
    found = wire.Received(REQUEST, "m")
    try:
        for answer in answers:
            found.take(answer)
    except wire.Garbled:
        pass
    reply = found.reply(found.counts())
    assert all(isinstance(call.arguments, str) for call in reply.tool_calls)
    assert reply.usage.tokens_in >= 0 and reply.usage.tokens_out >= 0
    assert isinstance(reply.model, str) and isinstance(reply.finish_reason, str)


@pytest.mark.parametrize("answer", ["text", [], 5, None, {"choices": {"a": 1}}])
def test_what_is_no_answer_is_garbled(answer: object) -> None:
    with pytest.raises(wire.Garbled):
        received(answer)


def test_a_character_cut_in_two_by_a_stream_is_shown_whole() -> None:
    """JSON may escape an emoji as two halves, and a server may send one in each chunk."""
    found = wire.Received(REQUEST, "small")
    shown = [
        found.take(delta(content=part)) for part in ("so \ud83d", "\ude00 and", " \ude00 lost")
    ]
    assert shown == ["so ", "\U0001f600 and", "  lost"]
    assert found.text == "so \U0001f600 and  lost"
