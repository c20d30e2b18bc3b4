"""One contract over all channels: what a person can rely on wherever they talk to Ratchet."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.errors import StorageError
from bot.model.message import Button, Card, Field, Reply
from tests.contracts.drivers.console import ConsoleDriver
from tests.contracts.drivers.driver import Driver, office
from tests.contracts.drivers.slack import SlackDriver, SlackSocketDriver
from tests.contracts.drivers.telegram import TelegramDriver, TelegramWebhookDriver
from tests.contracts.drivers.web import WebDriver
from tests.contracts.drivers.whatsapp import WhatsAppDriver

DRIVERS: list[type[Driver]] = [
    ConsoleDriver,
    WebDriver,
    SlackDriver,
    SlackSocketDriver,
    TelegramDriver,
    TelegramWebhookDriver,
    WhatsAppDriver,
]
CARD = Reply(
    "A proposal.",
    card=Card(
        "P1 · Be kinder",
        "Two answers were curt.",
        (Field("Expected", "+4 %"),),
        "-curt\n+kind",
        "P1",
    ),
    buttons=(
        Button("Approve", "/approve P1", "primary"),
        Button("Edit", "/edit P1", asks="What instead?"),
        Button("Decline", "/decline P1", "danger", asks="Why not?"),
    ),
)
STATUS = "Approved by owner, 2026-11-20 09:30 UTC"
DECIDED = Reply(
    "Decided.",
    card=Card("P1 · Be kinder", ref="P1", diff="+kind", status=STATUS),
    buttons=CARD.buttons,
)
_OF_SERVERS = ("RequestHandler.", "BaseSelectorEventLoop._accept")
"""What the servers of the platforms, in this same process, are busy with."""


@pytest.fixture(params=DRIVERS, ids=lambda kind: kind.__name__.removesuffix("Driver"))
async def driver(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Driver]:
    async with office(tmp_path) as behind:
        made: Driver = request.param(behind)
        await made.open()
        yield made
        await made.close()


async def test_a_message_is_one_however_often_it_is_delivered(driver: Driver) -> None:
    assert await driver.say("/runs", times=3) == [True] * 3
    said = driver.office.inbox.messages
    assert len(said) == (1 if driver.repeats else 3)
    await driver.say("/runs")
    assert len({message.event_id for message in said}) == len(said) == (2 if driver.repeats else 4)
    assert {m.text for m in said} == {"/runs"}
    assert {m.sender.external_id for m in said} == {driver.persons[0]}
    assert {m.channel for m in said} == {driver.channel.name}


async def test_a_button_says_its_command_as_whoever_pressed_it(driver: Driver) -> None:
    await driver.show(CARD)
    assert [label for label in await driver.labels() if label in driver.buttons] == list(
        driver.buttons
    )
    await driver.press("Approve", driver.persons[1])
    pressed = driver.office.last
    assert (pressed.text, pressed.is_button) == ("/approve P1", True)
    assert pressed.sender.external_id == driver.persons[1]


async def test_a_button_that_asks_adds_what_is_typed(driver: Driver) -> None:
    await driver.show(CARD)
    await driver.press("Decline", words="not now" if driver.asks else "")
    assert driver.office.last.text == ("/decline P1 not now" if driver.asks else "/decline P1")
    assert driver.office.last.is_button


async def test_of_a_long_text_nothing_is_lost(driver: Driver) -> None:
    words = [f"w{number}" for number in range(5_000)]
    await driver.show(Reply(" ".join(words)))
    assert re.findall(r"\bw\d+", await driver.shown()) == words


async def test_a_card_shows_everything_there_is_to_decide_about(driver: Driver) -> None:
    await driver.show(CARD)
    shown = await driver.shown()
    for part in ("P1", "Be kinder", "Two answers were curt.", "Expected", "+4 %", "-curt", "+kind"):
        assert part in shown
    assert STATUS not in shown


async def test_a_decided_card_says_so_and_cannot_be_pressed(driver: Driver) -> None:
    await driver.show(CARD)
    await driver.change(DECIDED)
    shown = await driver.shown()
    assert STATUS in shown
    assert not set(driver.buttons) & set(await driver.labels())
    if driver.edits and driver.channel.push:
        assert "-curt" not in shown, "the card as it was is gone"


async def test_what_is_said_never_becomes_markup(driver: Driver) -> None:
    bad = (
        "<script>alert(1)</script> <!channel> <@U0OWNER> & <b onclick=x>z</b> "
        "[x](javascript:alert(1)) `a<b>c` \x1b[2J **bold**"
    )
    card = Card(f"P1 · {bad}", bad, (Field("Evidence", bad),), f"+{bad}", "P1")
    await driver.show(Reply(bad, card=card, footer=bad))
    assert await driver.alarms() == []
    shown = await driver.shown()
    assert "<script>alert(1)</script>" in shown and "a<b>c" in shown


async def test_a_private_reply_reaches_one_person_only(driver: Driver) -> None:
    await driver.show(Reply("Your budget is 5 dollars.", private=True))
    assert "Your budget" in await driver.shown()
    assert "budget" not in await driver.overheard()


async def test_an_answer_that_grows_ends_as_one(driver: Driver) -> None:
    await driver.grow("Half of it ", Reply("Half of it and the rest."))
    shown = await driver.shown()
    assert shown.count("Half of it") == 1 and "and the rest" in shown


async def test_what_was_shown_is_found_again(driver: Driver) -> None:
    """Or fetched again, where whoever asked fetches it."""
    await driver.show(Reply("Where am I?"))
    assert (await driver.shown()).count("Where am I?") == 1
    if driver.channel.push:
        assert await driver.found()


async def test_any_script_and_any_character_gets_through(driver: Driver) -> None:
    odd = "שלום 👩‍🚀 日本 ½"
    await driver.say(f"/decline P1 {odd}")
    assert driver.office.last.text == f"/decline P1 {odd}"
    await driver.show(Reply(f"Noted: {odd}"))
    assert odd in await driver.shown()


async def test_a_null_byte_never_gets_in_and_breaks_nothing(driver: Driver) -> None:
    await driver.say("/decline P1 a\0b")
    await driver.say("/runs")
    assert driver.office.texts[-1] == "/runs"
    assert not [text for text in driver.office.texts if "\0" in text]


async def test_what_could_not_be_recorded_is_not_acknowledged_and_not_lost(
    driver: Driver,
) -> None:
    driver.office.inbox.refusals = [StorageError("locked", said="I can't store that right now.")]
    if driver.pulls:
        assert await driver.say("/runs") == [True]
    else:
        assert await driver.say("/runs", times=2) == [False, True]
    assert driver.office.texts == ["/runs"]


async def test_stopping_leaves_nothing_behind(driver: Driver) -> None:
    before = asyncio.all_tasks()
    other = driver.make()
    await other.stop()
    other = driver.make()
    await other.start()
    await other.stop()
    await other.stop()
    left = [_work(task) for task in asyncio.all_tasks() - before if not task.done()]
    assert [name for name in left if not name.startswith(_OF_SERVERS)] == []


async def test_the_paths_are_the_named_ones(driver: Driver) -> None:
    assert tuple(route.path for route in driver.channel.routes()) == driver.paths


def _work(task: "asyncio.Task[object]") -> str:
    work = task.get_coro()
    return getattr(work, "__qualname__", repr(work))
