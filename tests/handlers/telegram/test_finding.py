"""After an unclear send the channel finds out, without a change to anything it looks at."""

from typing import Any

import pytest

from bot.errors import ChannelUnavailable, DeliveryUnclear
from bot.model.delivery import Delivery
from bot.model.message import Reply
from handlers.telegram.channel import TelegramChannel
from tests.fakes.telegram_server import Fault, TelegramServer
from tests.handlers.telegram.conftest import MakeChannel, delivery

ANSWER = Reply("It is **4**.", "run-1", rateable=True)
OTHER = Reply("Something else.", "run-2", rateable=True)


@pytest.fixture
async def unclear(server: TelegramServer) -> Delivery:
    """The answer to a question in a private chat, of which nobody knows whether it arrived."""
    return delivery(ANSWER, after=(await server.say("2+2?"))["message_id"], user_id=7)


@pytest.fixture
def restarted(make: MakeChannel) -> TelegramChannel:
    """A channel that remembers nothing of what another one sent."""
    return make()


async def lost_on_the_way(server: TelegramServer, channel: TelegramChannel, one: Delivery) -> None:
    server.faults = [Fault("sendMessage", 0, after=True)]
    with pytest.raises(DeliveryUnclear):
        await channel.send(one)


def texts(server: TelegramServer) -> list[str]:
    return [message["text"] for message in server.shown()]


async def test_one_that_arrived_is_found(
    server: TelegramServer, channel: TelegramChannel, restarted: TelegramChannel, unclear: Delivery
) -> None:
    await lost_on_the_way(server, channel, unclear)
    before = server.shown()
    ref = await restarted.find(unclear)
    assert ref == {"chat_id": 7, "message_id": before[0]["message_id"]}
    assert server.shown() == before
    assert [p["disable_notification"] for p in server.sent()[1:]] == ["true"]


async def test_one_that_never_left_is_certainly_not_there(
    server: TelegramServer, restarted: TelegramChannel, unclear: Delivery
) -> None:
    assert await restarted.find(unclear) is None
    assert server.shown() == []
    await restarted.send(unclear)
    assert texts(server) == ["It is 4.\n\nrun run-1"]


async def test_other_messages_are_told_apart_and_left_alone(
    server: TelegramServer, channel: TelegramChannel, restarted: TelegramChannel, unclear: Delivery
) -> None:
    await channel.send(delivery(OTHER))
    await server.say("It is 4.\n\nrun run-1")
    await server.say("elsewhere", chat=8, user=8)
    before: list[dict[str, Any]] = server.shown()
    assert await restarted.find(unclear) is None
    assert server.shown() == before
    await lost_on_the_way(server, channel, unclear)
    found = await restarted.find(unclear)
    assert found and found["message_id"] == server.shown()[-1]["message_id"]


async def test_a_long_answer_of_which_a_part_arrived_is_completed(
    server: TelegramServer, channel: TelegramChannel, restarted: TelegramChannel, unclear: Delivery
) -> None:
    long = delivery(Reply("word " * 2000, "run-1", rateable=True), after=unclear.address["after"])
    server.faults = [Fault("sendMessage", 0, skip=1)]
    with pytest.raises(DeliveryUnclear):
        await channel.send(long)
    assert len(server.shown()) == 1
    assert await restarted.find(long) is None
    await restarted.send(long)
    assert len(server.shown()) == 3


async def test_where_too_much_was_said_since_it_can_not_tell(
    server: TelegramServer, restarted: TelegramChannel, unclear: Delivery
) -> None:
    for _ in range(9):
        await server.say("chatter")
    with pytest.raises(DeliveryUnclear):
        await restarted.find(unclear)


async def test_a_card_that_follows_nothing_is_found_or_left_to_a_person(
    server: TelegramServer, channel: TelegramChannel, restarted: TelegramChannel
) -> None:
    server.chat(7)
    card = delivery(OTHER)
    with pytest.raises(DeliveryUnclear):
        await restarted.find(card)
    await lost_on_the_way(server, channel, card)
    assert await restarted.find(card)


async def test_a_private_answer_is_looked_for_where_it_went(
    server: TelegramServer, channel: TelegramChannel, restarted: TelegramChannel
) -> None:
    group = -1_000_000_000_042
    question = await server.say("@ratchet_bot /budget", chat=group)
    server.chat(7)
    secret = delivery(Reply("secret", private=True), group, user_id=7, after=question["message_id"])
    await lost_on_the_way(server, channel, secret)
    found = await restarted.find(secret)
    assert found and found["chat_id"] == 7
    assert server.shown(group) == []


@pytest.mark.parametrize("status", [0, 429, 502])
async def test_a_look_that_fails_is_a_look_for_later(
    server: TelegramServer, restarted: TelegramChannel, unclear: Delivery, status: int
) -> None:
    server.faults = [Fault("sendMessage", status)]
    with pytest.raises(ChannelUnavailable):
        await restarted.find(unclear)
    assert await restarted.find(unclear) is None


async def test_a_notice_that_can_not_be_taken_back_is_true_and_harmless(
    server: TelegramServer, channel: TelegramChannel, restarted: TelegramChannel, unclear: Delivery
) -> None:
    await lost_on_the_way(server, channel, unclear)
    server.without = {"deleteMessage"}
    assert await restarted.find(unclear)
    assert "interrupted" in texts(server)[-1]
