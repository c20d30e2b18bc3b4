"""A press is answered on its screen: with what came of it, why not, or at least at once."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.errors import NotFound
from bot.model.message import Button, Card, Reply
from bot.model.run import RunStatus
from handlers.telegram.channel import TelegramChannel
from handlers.telegram.presses import toast
from tests.contracts.drivers.driver import Office, office
from tests.fakes.answering_inbox import Answer
from tests.fakes.telegram_chats import Json, user_of
from tests.fakes.telegram_server import Fault, TelegramServer
from tests.handlers.telegram.conftest import MakeChannel, delivery

STRANGER, GROUP = 8, -1_000_000_000_042
OFFER = Reply(
    "Proposal P1",
    card=Card("P1 · Be kind", ref="P1", diff="+be kind"),
    buttons=(
        Button("Approve", "/approve P1"),
        Button("Edit", "/edit P1", asks="What should it say instead?", value="be <kind> & short"),
    ),
)


@pytest.fixture
async def behind(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path) as made:
        yield made


class Desk:
    """The cards as they stand, and who may decide."""

    def __init__(self) -> None:
        self.card = OFFER
        self.broken = False

    async def cards(self, workspace: str, refs: Collection[str]) -> Sequence[Reply]:
        if self.broken:
            raise NotFound("no database")
        return [self.card]

    async def may(self, person: str, command: str) -> bool:
        return person != str(STRANGER)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def channel(make: MakeChannel, behind: Office, desk: Desk, server: TelegramServer) -> Any:
    channel = make(inbox=behind.inbox, cards=desk.cards, may=desk.may)
    await channel.start()
    server.chat(7), server.chat(GROUP)
    return channel


@pytest.fixture
async def card(channel: TelegramChannel, server: TelegramServer) -> Json:
    await channel.send(delivery(OFFER))
    return server.shown()[0]


async def answered(server: TelegramServer, update: Json) -> tuple[str, bool]:
    press = update["callback_query"]["id"]
    await server.until(lambda: press in server.answers)
    answer = server.answers[press]
    return answer.get("text", ""), answer.get("show_alert") in (True, "true")


async def test_the_outcome_is_on_the_screen(
    server: TelegramServer, behind: Office, card: Json
) -> None:
    script = behind.inbox.script
    script["/approve P1"] = Answer(
        reply=Reply("✅ **P1** is approved.\n\n`/rollback P1` undoes it.")
    )
    pressed = await server.press(card, "Approve")
    said = "✅ P1 is approved. /rollback P1 undoes it."
    assert await answered(server, pressed) == (said, False)
    refused = Reply("P1 is decided already. Approved by Ann")
    script["/approve P1"] = Answer(reply=refused, status=RunStatus.REFUSED)
    again = await server.press(card, "Approve")
    assert await answered(server, again) == ("P1 is decided already. Approved by Ann", True)


async def test_the_same_delivery_twice_is_answered_and_done_once(
    server: TelegramServer, behind: Office, card: Json
) -> None:
    pressed = await server.press(card, "Approve")
    await answered(server, pressed)
    await server.deliver({"callback_query": pressed["callback_query"], "update_id": 1})
    await server.deliver(pressed)
    await server.until(lambda: len(server.sent("answerCallbackQuery")) >= 2)
    assert behind.texts.count("/approve P1") <= 2 and len(set(behind.texts)) == 1


@pytest.mark.parametrize("status", [429, 500, 0])
async def test_a_telegram_that_is_not_ready_leaves_no_press_waiting(
    server: TelegramServer, behind: Office, card: Json, status: int
) -> None:
    retry_after = 1 if status == 429 else None
    for method in ("answerCallbackQuery", "sendMessage"):
        server.faults.append(Fault(method, status, retry_after=retry_after))
    assert await answered(server, await server.press(card, "Edit")) == ("", False)
    await server.until(lambda: "Reply to this message" in server.shown()[-1]["text"])
    await server.say("be brief", to=server.shown()[-1])
    await server.until(lambda: behind.texts == ["/edit P1 be brief"])


@pytest.mark.parametrize(
    "broken",
    [
        {"data": ""},
        {"data": "\x00"},
        {"message": None},
        {"data": None},
        {"message": {"chat": "?"}},
        {"from": {}},
    ],
)
async def test_a_press_that_says_nothing_is_answered_too(
    server: TelegramServer, behind: Office, channel: TelegramChannel, card: Json, broken: Json
) -> None:
    query = {"id": "q1", "from": user_of(7), "message": card, "data": "/approve P1", **broken}
    update = await server.deliver({"callback_query": query})
    said, alert = await answered(server, update)
    assert "no longer works" in said and alert
    assert behind.texts == []


async def test_editing_begins_with_the_words_as_they_are(
    server: TelegramServer, behind: Office, card: Json
) -> None:
    assert await answered(server, await server.press(card, "Edit")) == ("", False)
    await server.until(lambda: len(server.shown()) == 2)
    prompt = server.shown()[-1]
    assert "What should it say instead?\nbe <kind> & short\n" in prompt["text"]
    await server.say("cancel", to=prompt)
    await server.until(lambda: "Left as it is" in server.shown()[-1]["text"])
    assert behind.texts == []
    await server.say("be <brief>", to=prompt)
    await server.until(lambda: behind.texts == ["/edit P1 be <brief>"])


async def test_words_too_long_for_a_prompt_come_before_it(
    server: TelegramServer, behind: Office, desk: Desk, card: Json
) -> None:
    words = "<kind> & short " * 400
    button = replace(OFFER.buttons[1], value=words)
    desk.card = replace(OFFER, buttons=(OFFER.buttons[0], button))
    await server.press(card, "Edit")
    await server.until(lambda: "Reply to this message" in server.shown()[-1]["text"])
    said = " ".join(m["text"] for m in server.shown()[1:-1])
    assert said.split() == words.split()
    await server.say("shorter", to=server.shown()[-1])
    await server.until(lambda: behind.texts == ["/edit P1 shorter"])


async def test_in_a_group_the_one_who_pressed_is_asked_by_name(
    server: TelegramServer, channel: TelegramChannel
) -> None:
    await channel.send(delivery(OFFER, GROUP))
    await server.press(server.shown(GROUP)[0], "Edit")
    await server.until(lambda: len(server.shown(GROUP)) == 2)
    asked = server.sent("sendMessage")[-1]
    assert '<a href="tg://user?id=7">Person 7</a>: ' in asked["text"]
    assert asked["reply_markup"]["selective"] is True


async def test_a_stranger_is_not_even_asked(
    server: TelegramServer, behind: Office, card: Json
) -> None:
    said, alert = await answered(server, await server.press(card, "Edit", STRANGER))
    assert "may decide" in said and alert
    assert len(server.shown()) == 1 and behind.texts == []


async def test_what_is_decided_meanwhile_asks_for_nothing(
    server: TelegramServer, desk: Desk, card: Json
) -> None:
    decided = replace(OFFER.card or Card(""), status="Expired, 2026-11-20 09:30 UTC")
    desk.card = replace(OFFER, card=decided)
    said, alert = await answered(server, await server.press(card, "Edit"))
    assert (said, alert) == ("P1: Expired, 2026-11-20 09:30 UTC", True)
    assert len(server.shown()) == 1


async def test_a_screen_from_before_an_edit_is_looked_at_once_more(
    server: TelegramServer, behind: Office, desk: Desk, card: Json
) -> None:
    edited = replace(OFFER.buttons[1], command="/edit P1.1", value="be brief")
    desk.card = replace(OFFER, buttons=(edited,))
    said, alert = await answered(server, await server.press(card, "Edit"))
    assert "edited meanwhile" in said and alert
    assert len(server.shown()) == 1 and behind.texts == []


async def test_words_edited_before_are_the_ones_to_begin_with(
    server: TelegramServer, channel: TelegramChannel, desk: Desk
) -> None:
    edited = replace(OFFER.buttons[1], command="/edit P1.1", value="be brief")
    desk.card = replace(OFFER, buttons=(edited,))
    await channel.send(delivery(desk.card))
    await server.press(server.shown()[0], "Edit")
    await server.until(lambda: len(server.shown()) == 2)
    assert "be brief\n" in server.shown()[-1]["text"]


async def test_a_desk_that_can_not_be_asked_still_lets_people_decide(
    server: TelegramServer, desk: Desk, card: Json
) -> None:
    desk.broken = True
    await answered(server, await server.press(card, "Edit"))
    await server.until(lambda: len(server.shown()) == 2)


def test_what_is_said_on_a_screen_fits_it() -> None:
    assert len(toast(Reply("word " * 100))) == 200
    assert len(toast(Reply("😀" * 300)).encode("utf-16-le")) <= 400
    assert toast(Reply("")) == ""
