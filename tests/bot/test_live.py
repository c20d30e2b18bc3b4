"""What grows is a courtesy: however showing it fails, whoever sends the answer is not stopped."""

import asyncio

import pytest
import structlog

from bot.errors import ChannelError, ChannelUnavailable
from bot.events import Events
from bot.live import Growing, Progress
from bot.ports.channels import Event


@pytest.mark.parametrize(
    "error", [ChannelError("gone"), ChannelUnavailable("busy"), ValueError("a surprise")]
)
async def test_a_show_that_fails_holds_up_nobody(error: Exception) -> None:
    events, asked = Events(), asyncio.Event()

    async def show(progress: Progress) -> None:
        asked.set()
        raise error

    log = structlog.get_logger()
    growing = Growing(events, "r1", show, redact=lambda text: text, pause=0.0, log=log)
    events.publish(Event("r1", "delta", {"text": "One word "}))
    async with asyncio.timeout(5):
        await asked.wait()
        await growing.settle()
    assert not events.watched("r1")


async def test_only_whole_and_clean_words_are_shown() -> None:
    events, shown = Events(), asyncio.Queue[Progress]()
    growing = Growing(
        events,
        "r1",
        shown.put,
        redact=lambda text: text.replace("secret", "***"),
        pause=0.0,
        log=structlog.get_logger(),
    )
    events.publish(Event("r1", "delta", {"text": "A secret is a sec"}))
    async with asyncio.timeout(5):
        assert (await shown.get()).text == "A *** is a "
        await growing.settle()
