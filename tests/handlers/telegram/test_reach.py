"""Chats that refuse us are left alone until they are heard of; groups that move keep going."""

from dataclasses import replace
from typing import Any

import pytest

from bot.errors import ChannelError
from bot.model.message import Card, Reply
from handlers.telegram.channel import TelegramChannel
from tests.fakes.inbox import RecordingInbox
from tests.fakes.telegram_server import Fault, TelegramServer
from tests.handlers.telegram.conftest import MakeChannel, Stores, delivery, editing

ANSWER = Reply("4", "run-1")
GROUP, SUPER = -500, -1_000_000_000_500


@pytest.fixture
def channel(make: MakeChannel, stores: Stores) -> TelegramChannel:
    return make(contacts=stores.contacts)


async def refused(channel: TelegramChannel, chat: int = 7) -> ChannelError:
    with pytest.raises(ChannelError) as raised:
        await channel.send(delivery(ANSWER, chat))
    assert not raised.value.retry
    return raised.value


@pytest.mark.parametrize(
    ("code", "text", "why"),
    [
        (403, "Forbidden: bot was blocked by the user", "blocked the bot"),
        (403, "Forbidden: user is deactivated", "account is gone"),
        (403, "Forbidden: bot can't initiate conversation with a user", "pressed Start"),
        (403, "Forbidden: bot was kicked from the supergroup chat", "removed"),
        (400, "Bad Request: chat not found", "no such chat"),
    ],
)
async def test_a_chat_that_refuses_is_told_of_once_and_then_left_alone(
    server: TelegramServer, channel: TelegramChannel, code: int, text: str, why: str
) -> None:
    server.chat(7), server.chat(8)
    server.faults = [Fault("sendMessage", code, text)]
    first = await refused(channel)
    assert why in str(first) and "chat 7" in str(first) and not first.told
    calls = len(server.calls)
    assert (await refused(channel)).told
    assert len(server.calls) == calls, "nothing was sent"
    await channel.send(delivery(ANSWER, 8))


async def test_another_process_knows_it_too(
    server: TelegramServer, channel: TelegramChannel, make: MakeChannel, stores: Stores
) -> None:
    server.unreachable = {7}
    await refused(channel)
    assert (await refused(make(contacts=stores.contacts))).told
    assert len(server.calls) == 1


async def test_an_edit_that_is_refused_counts_as_well(
    server: TelegramServer, channel: TelegramChannel
) -> None:
    server.chat(7)
    ref = await channel.send(delivery(Reply("", card=Card("P1"))))
    server.unreachable = {7}
    with pytest.raises(ChannelError) as raised:
        await channel.send(editing(Reply("", card=Card("P1", status="Approved")), ref))
    assert "blocked" in str(raised.value)


@pytest.mark.parametrize("by", ["a message", "an unblocking"])
async def test_whoever_is_heard_of_again_is_written_to_again(
    server: TelegramServer, channel: TelegramChannel, inbox: RecordingInbox, by: str
) -> None:
    await channel.start()
    server.chat(7)
    server.unreachable = {7}
    await refused(channel)
    server.unreachable = set()
    if by == "a message":
        await server.say("hello again")
    else:
        await server.deliver({"my_chat_member": member(7, "member")})
    await server.until(lambda: not server.pending)
    await channel.send(delivery(ANSWER))
    assert [m["text"] for m in server.shown()][-1] == "4"


async def test_being_shown_out_is_no_failure_of_anything(
    server: TelegramServer, channel: TelegramChannel, inbox: RecordingInbox
) -> None:
    await channel.start()
    await server.deliver({"my_chat_member": member(GROUP, "kicked")})
    await server.say("go on")
    await inbox.until(lambda: inbox.texts == ["go on"])
    assert server.allowed and "my_chat_member" in server.allowed


def member(chat: int, status: str) -> dict[str, Any]:
    person = {"id": 7, "is_bot": False, "first_name": "Ann"}
    bot = {"id": 123456, "is_bot": True, "first_name": "Ratchet"}
    return {
        "chat": {"id": chat, "type": "private" if chat > 0 else "group"},
        "from": person,
        "date": 5,
        "old_chat_member": {"user": bot, "status": "member"},
        "new_chat_member": {"user": bot, "status": status},
    }


async def test_a_private_answer_to_who_never_pressed_start_is_hinted_at_in_the_group(
    server: TelegramServer, channel: TelegramChannel
) -> None:
    server.chat(GROUP)
    for _ in range(2):
        await channel.send(delivery(Reply("secret", private=True), GROUP, user_id=9))
    shown = [m["text"] for m in server.shown(GROUP)]
    assert len(shown) == 2 and all("press Start" in text for text in shown)
    assert len([p for p in server.sent() if p["chat_id"] in ("9", 9)]) == 1


@pytest.mark.parametrize("told", [True, False])
async def test_a_group_that_became_a_supergroup_goes_on(
    server: TelegramServer, channel: TelegramChannel, inbox: RecordingInbox, told: bool
) -> None:
    await channel.start()
    question = await server.say("@ratchet_bot 2+2?", chat=GROUP)
    await inbox.until(lambda: len(inbox.messages) == 1)
    card = await channel.send(delivery(Reply("", card=Card("P1 · Metres")), GROUP))
    server.moved = {GROUP: SUPER}
    server.chat(SUPER)
    if told:
        await server.deliver({"message": question | {"text": "", "migrate_to_chat_id": SUPER}})
        await server.until(lambda: not server.pending)
    await channel.send(delivery(ANSWER, GROUP, reply_to=question["message_id"], thread_id=3))
    await channel.send(delivery(Reply("later"), GROUP))
    assert [m["text"] for m in server.shown(SUPER)] == ["4", "later"]
    decided = delivery(Reply("", card=Card("P1 · Metres", status="Approved")), GROUP)
    await channel.send(replace(decided, edits=card))
    assert "Approved" in server.shown(SUPER)[-1]["text"]
    await server.say("/runs", chat=SUPER)
    await inbox.until(lambda: len(inbox.messages) == 2)
    assert inbox.messages[1].conversation == inbox.messages[0].conversation
    assert inbox.messages[1].address["chat_id"] == SUPER
