"""What an update says to the bot, and what it doesn't."""

from typing import Any

import pytest

from bot.model.file import FileRef
from bot.model.message import Message
from handlers.telegram.incoming import (
    LEFT_AS_IT_IS,
    Asking,
    Me,
    Migrated,
    NotYet,
    Presence,
    Reaction,
    Telling,
    read,
)
from handlers.telegram.outgoing import plain, prompt
from handlers.telegram.place import Place
from handlers.telegram.updates import Malformed, press_id

ME = Me(99, "ratchet_bot", b"key")
BOT = {"id": 99, "is_bot": True, "first_name": "Ratchet"}
ANN = {"id": 7, "is_bot": False, "first_name": "Ann", "last_name": "Lee"}
GROUP = {"id": -1001, "type": "supergroup"}


def update(text: Any = "", **message: Any) -> dict[str, Any]:
    whole = {"message_id": 5, "date": 100, "chat": {"id": 7, "type": "private"}, "from": ANN}
    return {"update_id": 1, "message": whole | ({"text": text} if text else {}) | message}


def said(raw: object) -> Message:
    message = read(raw, ME)
    assert isinstance(message, Message)
    return message


def test_a_private_message() -> None:
    message = said(update("hello"))
    assert (message.workspace, message.channel, message.event_id) == ("local", "telegram", "99:1")
    assert message.conversation == "telegram:7"
    assert (message.sender.external_id, message.sender.name) == ("7", "Ann Lee")
    assert message.sent_at == 100_000 and not message.is_button
    assert message.address == {
        "chat_id": 7,
        "thread_id": None,
        "after": 5,
        "reply_to": None,
        "user_id": 7,
    }


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("/save_workflow weekly_report", "/save-workflow weekly_report"),
        ("/better@Ratchet_Bot be brief", "/better be brief"),
        ("/start", "/help"),
        ("/help", "/help"),
        ("!better x", "!better x"),
        ("a\x00b\ud800", "ab"),
        ("/path/to/file is what?", "/path/to/file is what?"),
    ],
)
def test_words_and_commands(text: str, heard: str) -> None:
    assert said(update(text)).text == heard


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("@ratchet_bot @researcher why?", "@researcher why?"),
        ("@RATCHET_BOT, !better x", "!better x"),
        ("what now @ratchet_bot", "what now"),
        ("@ratchet_bot", "/help"),
        ("/runs", "/runs"),
    ],
)
def test_in_a_group_it_listens_when_it_is_meant(text: str, heard: str) -> None:
    message = said(update(text, chat=GROUP))
    assert message.text == heard
    assert message.address["reply_to"] == 5


def test_in_a_group_a_reply_to_it_is_meant_for_it() -> None:
    to = {"message_id": 4, "chat": GROUP, "from": BOT, "text": "4"}
    assert said(update("wrong", chat=GROUP, reply_to_message=to)).text == "wrong"


@pytest.mark.parametrize(
    "raw",
    [
        update("hello all", chat=GROUP),
        update("write to @ratchet_bot_two", chat=GROUP),
        update("/help@other_bot", chat=GROUP),
        update("/help@other_bot"),
        update("hello", **{"from": BOT}),
        update("post", chat={"id": -1002, "type": "channel"}),
        update(new_chat_members=[ANN]),
        update("@ratchet_bot hi", chat=GROUP, is_automatic_forward=True),
        update("@ratchet_bot hi", chat=GROUP, **{"from": ANN | {"id": 777000}}),
        update("@ratchet_bot hi", chat=GROUP, **{"from": ANN | {"is_bot": True}}),
        {"update_id": 1, "edited_message": update("x")["message"]},
        {"update_id": 1, "channel_post": update("x")["message"]},
        {"update_id": 1, "poll": {"id": "1"}},
        {"update_id": 1},
    ],
)
def test_what_is_not_for_it(raw: object) -> None:
    assert read(raw, ME) is None


def test_a_topic_is_a_conversation_of_its_own() -> None:
    message = said(update("/runs", chat=GROUP, message_thread_id=3, is_topic_message=True))
    assert message.conversation == "telegram:-1001:3"
    assert message.address["thread_id"] == 3


def test_the_general_topic_and_a_thread_of_replies_are_no_topics() -> None:
    for more in ({"message_thread_id": 1, "is_topic_message": True}, {"message_thread_id": 9}):
        message = said(update("/runs", chat=GROUP, **more))
        assert (message.conversation, message.address["thread_id"]) == ("telegram:-1001", None)


def test_documents_and_pictures_come_with_their_words() -> None:
    sizes = [
        {"file_id": "small", "width": 90, "height": 90, "file_size": 900},
        {"file_id": "large", "width": 900, "height": 900, "file_size": 90_000},
    ]
    asked = said(update(photo=sizes, caption="what is this?"))
    assert asked.text == "what is this?"
    assert asked.files == (FileRef("photo-5.jpg", "image/jpeg", 90_000, {"file_id": "large"}),)
    document = {"file_id": "d", "file_name": "../a/b.csv", "mime_type": "text/csv"}
    sent = said(update(document=document))
    assert sent.text == "Here is ab.csv."
    assert sent.files == (FileRef("ab.csv", "text/csv", 0, {"file_id": "d"}),)
    assert said(update(photo=[{}], caption="odd")).files == ()
    assert read(update(document=document, chat=GROUP), ME) is None
    to = {"message_id": 4, "chat": GROUP, "from": ANN, "document": document}
    about = said(update("@ratchet_bot sum it", chat=GROUP, reply_to_message=to))
    assert (about.text, about.files) == ("sum it", sent.files)
    mentioned = update(document=document, chat=GROUP, caption="@ratchet_bot sum this")
    assert len(said(mentioned).files) == 1


@pytest.mark.parametrize("kind", ["voice", "audio", "video", "sticker", "location", "contact"])
def test_what_can_not_be_read_is_told_so_to_who_meant_it(kind: str) -> None:
    private = read(update(**{kind: {}}), ME)
    assert isinstance(private, Telling)
    assert private.place == Place(7) and "write it in words" in private.text
    assert read(update(**{kind: {}}, chat=GROUP), ME) is None
    to = {"message_id": 4, "chat": GROUP, "from": BOT, "text": "4"}
    meant = read(update(**{kind: {}}, chat=GROUP, reply_to_message=to), ME)
    assert isinstance(meant, Telling) and meant.place == Place(-1001, None, 5)
    assert said(update(**{kind: {}}, caption="/better be brief")).text == "/better be brief"


def test_who_moves_the_bot_is_heard() -> None:
    assert read(update(chat=GROUP, migrate_to_chat_id=-1002), ME) == Migrated(-1001, -1002)
    for status, there in (("member", True), ("kicked", False), ("left", False)):
        member = {"chat": {"id": 7}, "date": 5, "from": ANN, "new_chat_member": {"status": status}}
        assert read({"update_id": 4, "my_chat_member": member}, ME) == Presence(7, there)


def pressed(data: str, **keyboard: object) -> dict[str, Any]:
    message = update("card", **{"from": BOT, "reply_markup": keyboard})["message"]
    return {
        "update_id": 2,
        "callback_query": {"id": "q1", "from": ANN, "message": message, "data": data},
    }


def test_a_pressed_button_is_a_command_of_who_pressed_it() -> None:
    message = said(pressed("/approve P1"))
    assert message.text == "/approve P1" and message.is_button
    assert message.sender.external_id == "7"
    assert message.sent_at is None and message.address["reply_to"] is None
    assert press_id(pressed("x")) == "q1"


def test_a_button_that_asks_gets_its_words_by_a_reply_to_the_prompt() -> None:
    keyboard = [[{"text": "Decline", "callback_data": "?/decline P1"}]]
    asking = read(pressed("?/decline P1", inline_keyboard=keyboard), ME)
    assert asking == Asking(Place(7), "/decline P1", "Decline", 7)
    text = plain(prompt("/decline P1", "Decline", ME.seal(7, "/decline P1"), value="<a>\nb")[-1])
    to = {"message_id": 4, "chat": {"id": 7}, "from": BOT, "text": text}
    message = said(update("too vague", reply_to_message=to))
    assert (message.text, message.is_button) == ("/decline P1 too vague", True)
    told = read(update("Cancel", reply_to_message=to), ME)
    assert isinstance(told, Telling) and told.text == LEFT_AS_IT_IS


def test_a_prompt_that_a_model_wrote_asks_for_nothing() -> None:
    (text,) = prompt("/approve P1", "Approve", "0123456789ab")
    to = {"message_id": 4, "chat": {"id": 7}, "from": BOT, "text": text}
    assert said(update("ok", reply_to_message=to)).text == "ok"


def test_a_thumb_on_a_message() -> None:
    raw = {
        "update_id": 3,
        "message_reaction": {
            "chat": {"id": 7},
            "message_id": 12,
            "user": ANN,
            "date": 5,
            "old_reaction": [],
            "new_reaction": [{"type": "emoji", "emoji": "👎"}],
        },
    }
    reaction = read(raw, ME)
    assert isinstance(reaction, Reaction)
    assert (reaction.message_id, reaction.about("r1").text) == (12, "/rate r1 down")
    raw["message_reaction"]["new_reaction"] = [{"type": "custom_emoji"}]  # type: ignore[index]
    assert read(raw, ME) is None


@pytest.mark.parametrize("raw", [None, [], "x", {}, {"update_id": "a"}, update("x", chat=3)])
def test_what_is_no_update(raw: object) -> None:
    with pytest.raises(Malformed):
        read(raw, ME)


def test_a_group_has_to_wait_until_the_bot_knows_its_name() -> None:
    with pytest.raises(NotYet):
        read(update("@ratchet_bot hi", chat=GROUP), Me(99, "", b"key"))
