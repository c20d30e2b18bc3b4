"""Replies reach the person once, and whatever goes wrong is said for what it is."""

from typing import Any

import pytest

from bot.errors import ChannelError, ChannelUnavailable, DeliveryUnclear
from bot.model.message import Button, Card, Picture, Reply
from handlers.telegram.channel import TelegramChannel
from tests.conftest import HeldClock
from tests.fakes.telegram_server import Fault, TelegramServer
from tests.handlers.telegram.conftest import MakeChannel, delivery, editing

RUN = "01930000-0000-7000-8000-0000deadbeef"
ANSWER = Reply("It is **4**.", RUN, rateable=True)
GROUP = -1_000_000_000_042


@pytest.fixture
async def asked(server: TelegramServer) -> dict[str, Any]:
    """A question in a private chat, and how a reply to it is addressed."""
    return {"after": (await server.say("2+2?"))["message_id"], "user_id": 7}


async def test_an_answer_with_thumbs(
    server: TelegramServer, channel: TelegramChannel, asked: dict[str, Any]
) -> None:
    ref = await channel.send(delivery(ANSWER, **asked))
    (shown,) = server.shown()
    assert ref == {"chat_id": 7, "message_id": shown["message_id"]}
    assert shown["text"] == "It is 4.\n\nrun deadbeef"
    assert [k["text"] for k in shown["reply_markup"]["inline_keyboard"][0]] == ["👍", "👎"]


async def test_a_chat_named_in_settings_is_text(
    server: TelegramServer, channel: TelegramChannel
) -> None:
    server.chat(GROUP)
    card = Reply("", buttons=(Button("Approve", "/approve P1"),), card=Card("Say metres"))
    ref = await channel.send(delivery(card, chat=str(GROUP)))  # type: ignore[arg-type]
    assert ref["chat_id"] == GROUP


async def test_a_decided_card_loses_its_buttons_and_twice_is_fine(
    server: TelegramServer, channel: TelegramChannel, asked: dict[str, Any]
) -> None:
    buttons = (Button("Approve", "/approve P1"),)
    ref = await channel.send(delivery(Reply("", buttons=buttons, card=Card("Metres")), **asked))
    decided = Reply("", buttons=buttons, card=Card("Metres", status="Approved by owner"))
    for _ in range(2):
        assert await channel.send(editing(decided, ref)) == ref
    (shown,) = server.shown()
    assert "Approved by owner" in shown["text"] and "reply_markup" not in shown


async def test_an_edit_whose_answer_was_lost_may_be_said_again(
    server: TelegramServer, channel: TelegramChannel, asked: dict[str, Any]
) -> None:
    ref = await channel.send(delivery(Reply("offered"), **asked))
    server.faults = [Fault("editMessageText", 0, after=True)]
    with pytest.raises(DeliveryUnclear):
        await channel.send(editing(Reply("decided"), ref))
    assert await channel.find(editing(Reply("decided"), ref)) is None
    assert await channel.send(editing(Reply("decided"), ref)) == ref
    assert [m["text"] for m in server.shown()] == ["decided"]


async def test_a_picture_is_a_photo(
    server: TelegramServer, channel: TelegramChannel, asked: dict[str, Any]
) -> None:
    await channel.send(delivery(Reply("Costs", picture=Picture(b"\x89PNG", "A chart")), **asked))
    assert server.shown()[0]["caption"] == "Costs"
    assert server.sent("sendPhoto")[0]["photo"] == "4 bytes"


async def test_text_that_telegram_can_not_parse_is_sent_plain(
    server: TelegramServer, channel: TelegramChannel, asked: dict[str, Any]
) -> None:
    server.faults = [Fault("sendMessage", 400, "Bad Request: can't parse entities: x")]
    await channel.send(delivery(Reply("a **b** < c"), **asked))
    assert server.shown()[0]["text"] == "a b < c"
    assert "parse_mode" not in server.sent()[-1]


async def test_in_a_group_the_answer_quotes_the_question(
    server: TelegramServer, channel: TelegramChannel
) -> None:
    question = await server.say("@ratchet_bot 2+2?", chat=GROUP)
    await channel.send(delivery(ANSWER, GROUP, reply_to=question["message_id"], user_id=7))
    assert server.shown(GROUP)[0]["reply_to_message"]["text"] == question["text"]


async def test_a_private_answer_goes_to_the_person_alone(
    server: TelegramServer, channel: TelegramChannel
) -> None:
    server.chat(7), server.chat(GROUP)
    await channel.send(delivery(Reply("secret", private=True), GROUP, user_id=7))
    assert [m["text"] for m in server.shown(7)] == ["secret"]
    server.unreachable = {7}
    await channel.send(delivery(Reply("secret", private=True), GROUP, user_id=7))
    (hint,) = server.shown(GROUP)
    assert "private chat" in hint["text"] and "secret" not in hint["text"]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("sendMessage", 403, "Forbidden: bot was blocked by the user"), ChannelError),
        (Fault("sendMessage", 400, "Bad Request: chat not found"), ChannelError),
        (Fault("sendMessage", 401, "Unauthorized"), ChannelUnavailable),
        (Fault("sendMessage", 0), DeliveryUnclear),
        (Fault("sendMessage", 0, after=True), DeliveryUnclear),
        (Fault("sendMessage", 500), DeliveryUnclear),
        (Fault("sendMessage", 502), DeliveryUnclear),
    ],
)
async def test_what_goes_wrong(
    server: TelegramServer,
    channel: TelegramChannel,
    asked: dict[str, Any],
    fault: Fault,
    error: type[ChannelError],
) -> None:
    server.faults = [fault]
    with pytest.raises(ChannelError) as raised:
        await channel.send(delivery(ANSWER, **asked))
    unreachable = error is ChannelError
    assert isinstance(raised.value, error) and raised.value.retry is not unreachable


async def test_a_telegram_that_can_not_be_reached_has_certainly_shown_nothing(
    make: MakeChannel,
) -> None:
    channel = make(api_base="http://127.0.0.1:9")
    with pytest.raises(ChannelUnavailable):
        await channel.send(delivery(ANSWER))


async def test_too_many_requests_are_a_pause_for_every_reply(
    server: TelegramServer, channel: TelegramChannel, asked: dict[str, Any], clock: HeldClock
) -> None:
    server.faults = [Fault("sendMessage", 429, "Too Many Requests", retry_after=3)]
    with pytest.raises(ChannelUnavailable) as raised:
        await channel.send(delivery(ANSWER, **asked))
    assert raised.value.retry_after == 3
    with pytest.raises(ChannelUnavailable):
        await channel.send(delivery(ANSWER, **asked))
    assert len(server.sent()) == 1
    clock.advance(3)
    await channel.send(delivery(ANSWER, **asked))
    assert len(server.shown()) == 1


async def test_a_long_answer_goes_on_where_it_was_interrupted(
    server: TelegramServer, channel: TelegramChannel, asked: dict[str, Any], clock: HeldClock
) -> None:
    long = delivery(Reply("word " * 2000, RUN, rateable=True), **asked)
    server.faults = [Fault("sendMessage", 429, "Too Many Requests", retry_after=1, skip=1)]
    with pytest.raises(ChannelUnavailable):
        await channel.send(long)
    clock.advance(1)
    ref = await channel.send(long)
    shown = server.shown()
    assert len(shown) == 3 and ref["message_id"] == shown[-1]["message_id"]
    assert sum(len(m["text"].split()) for m in shown) == 2002


async def test_a_picture_that_telegram_refuses_does_not_hide_the_words(
    server: TelegramServer, channel: TelegramChannel, asked: dict[str, Any]
) -> None:
    server.faults = [Fault("sendPhoto", 400, "Bad Request: PHOTO_INVALID_DIMENSIONS")]
    await channel.send(delivery(Reply("Costs", picture=Picture(b"png", "A chart")), **asked))
    assert [m["text"] for m in server.shown()] == ["Costs"]


async def test_an_answer_to_a_topic_that_was_deleted_goes_to_its_group(
    server: TelegramServer, channel: TelegramChannel
) -> None:
    server.chat(GROUP)
    await channel.send(delivery(ANSWER, GROUP, thread_id=9))
    assert len(server.shown(GROUP)) == 1


async def test_a_group_over_its_twenty_a_minute_is_a_pause_and_nothing_is_lost(
    server: TelegramServer, channel: TelegramChannel, clock: HeldClock
) -> None:
    server.chat(GROUP)
    server.per_group = 2
    for _ in range(2):
        await channel.send(delivery(ANSWER, GROUP))
    with pytest.raises(ChannelUnavailable) as raised:
        await channel.send(delivery(ANSWER, GROUP))
    assert raised.value.retry_after and 1 <= raised.value.retry_after <= 61
    server.chat(7)
    await channel.send(delivery(ANSWER))
    assert len(server.shown()) == 1, "another chat doesn't wait"
