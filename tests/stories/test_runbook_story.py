"""What several people's requests have in common becomes a runbook that is followed by itself."""

import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.model_answers import Answer, Body, Turn, asked
from tests.fakes.model_server import ModelServer
from tests.stories.weeks import (
    APPROVER,
    OWNER,
    PLATFORMS,
    STRANGER,
    refused,
    team,
    until_ended,
)

ASKING = "@generalist What is the price of {} with tax today?"
OTHER = "@generalist Who won the cup?"
WRONG, RIGHT = "It is 20.00", "It is 24.00"
AT_LENGTH = " The price without tax is what the list says." * 20
"""What a runbook adds to the request is little beside it."""
CAREFUL, HASTY = ("calculator", "date_and_time"), ("calculator", "calculator")


def by_chance(question: str) -> bool:
    """Whether it takes care without a runbook. An agent isn't told its own name."""
    return zlib.crc32(question.removeprefix("@generalist ").encode()) % 3 == 0


def answering(body: Body) -> Turn:
    """Takes tax and date into account where a runbook says so; without one, in one case of three."""
    told, messages = str(body["messages"][0]["content"]), body["messages"]
    if "with tax" not in asked(body):
        return "I don't know."
    careful = "Use `date_and_time`" in told or by_chance(asked(body))
    last = max(n for n, message in enumerate(messages) if message["role"] == "user")
    used = sum(message["role"] == "tool" for message in messages[last:])
    if used == 2:
        return f"{RIGHT if careful else WRONG}.{AT_LENGTH}"
    name = (CAREFUL if careful else HASTY)[used]
    given = '{"expression": "20 * 1.2"}' if name == "calculator" else "{}"
    return Answer(tool_calls=((name, given),))


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    async with ModelServer(reply=answering) as running:
        yield running


def told_last(model: ModelServer) -> str:
    """What the model was told in its last request, above the conversation."""
    return str(model.chats[-1]["messages"][0]["content"])


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_pattern_becomes_a_runbook_that_is_followed(
    platform: str, tmp_path: Path, model: ModelServer
) -> None:
    async with team(platform, tmp_path / "home", model) as here:
        owner, approver, ben, stranger = (here[n] for n in (OWNER, APPROVER, "ben", STRANGER))

        for _ in range(5):
            await here.everyone(RIGHT, ASKING)
        assert (await here.works("mine")).endswith("1 finding")
        found = await owner.says("/findings pattern", seeing="pattern")
        assert "generalist → calculator → date_and_time" in found.text
        await here.works("analyze")
        card = await approver.reads("Teach generalist the runbook price-tax")
        assert (
            " people. generalist follows them" in card.text and "Use `date_and_time`" in card.text
        )
        assert "Expected effect" in card.text and "0 success" not in card.text
        await stranger.presses(card, "Approve")
        assert await refused(here, "/approve P1") == 1
        await approver.presses(card, "Approve")
        await approver.reads("as T1.", card)

        # Where it was approved it is followed at once.
        got = await approver.says(ASKING.format("kites"), card, seeing=RIGHT)
        assert "runbook price-tax v1" in told_last(model)
        assert "2. Use `calculator`.\n3. Use `date_and_time`." in told_last(model)
        assert "Followed runbook" in (await approver.says("/why", got, seeing="Why run")).text

        await until_ended(here, RIGHT, ASKING)
        await approver.reads("Stays", card)
        verdict = await approver.reads("stays: generalist v2 is in use")
        assert verdict.thread == card.thread and "Good answers: 100% (" in verdict.text

        got = await ben.asks(ASKING.format("a second kite"))
        assert RIGHT in got.text and "runbook price-tax v1" in told_last(model)
        why = await ben.says("/why", got, seeing="Why run")
        assert "Followed runbook" in why.text and "price-tax v1" in why.text
        other = await ben.asks(OTHER)
        assert "--- " not in told_last(model), "it is for other requests"
        assert "Followed" not in (await ben.says("/why", other, seeing="Why run")).text
        told = await ben.says("/progress", other, seeing="ratchet")
        assert "1 step" in told.text and "runbook price-tax" in told.text


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_saved_run_is_offered_as_a_runbook(
    platform: str, tmp_path: Path, model: ModelServer
) -> None:
    async with team(platform, tmp_path / "home", model) as here:
        approver, ann = here[APPROVER], here["ann"]
        right = next(n for n in range(9) if by_chance(ASKING.format(n)))
        first = await ann.asks(ASKING.format(right))
        assert RIGHT in first.text
        said = await ann.says("/save-workflow prices", first, seeing="Saved run")
        assert "P1 proposes that generalist follows it by itself" in said.text
        card = await approver.reads("Teach generalist the runbook prices")
        await approver.presses(card, "Approve")
        await approver.reads("as T1.", card)
        again = await ann.says(ASKING.format("another tent"), first, seeing="It is")
        assert RIGHT in again.text and "runbook prices v1" in told_last(model)
        assert "Followed runbook" in (await ann.says("/why", again, seeing="Why run")).text
