"""Telegram update → Message, or what else it asks of the channel; pure."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.model.message import Message, Sender
from handlers.telegram.outgoing import ASKS

WORKSPACE = "local"
CHANNEL = "telegram"
UPDATE_KINDS = ("message", "callback_query", "message_reaction")

_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_COMMAND = re.compile(r"/(\w+)(?:@(\w+))?(?=\s|$)")
_MEDIA = ("audio", "document", "photo", "sticker", "video", "video_note", "voice", "animation")


class Malformed(ValueError):
    """Not an update of the Bot API."""


class NotYet(Exception):
    """Said in a group before the platform told the bot its name: who is meant can't be known."""


@dataclass(frozen=True, slots=True)
class Me:
    """The bot itself. `username` is "" until the platform has told it; `key` seals prompts."""

    id: int
    username: str
    key: bytes

    def seal(self, chat_id: int, command: str) -> str:
        """Proves that a prompt is the channel's own: no model and no person can write one."""
        said = f"{chat_id}|{command}".encode()
        return hmac.new(self.key, said, hashlib.sha256).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Asking:
    """A button was pressed that wants words before it says its command."""

    chat_id: int
    thread_id: int | None
    command: str
    label: str


@dataclass(frozen=True, slots=True)
class Reaction:
    """A thumb put on a message; `message` lacks its text until the run behind it is known."""

    chat_id: int
    message_id: int
    verdict: str
    message: Message

    def about(self, run_id: str) -> Message:
        return replace(self.message, text=f"/rate {run_id} {self.verdict}")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something without words, sent to the bot alone."""

    chat_id: int
    thread_id: int | None


Heard = Message | Asking | Reaction | Unreadable | None


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")


class _User(_Part):
    id: int
    is_bot: bool = False
    first_name: str = ""
    last_name: str = ""
    username: str = ""


class _Chat(_Part):
    id: int
    type: str = "private"


class _Mention(_Part):
    type: str
    user: _User | None = None


class _Message(_Part):
    message_id: int
    chat: _Chat
    date: int = 0
    sender: _User | None = Field(None, alias="from")
    text: str = ""
    caption: str = ""
    entities: tuple[_Mention, ...] = ()
    message_thread_id: int | None = None
    is_topic_message: bool = False
    reply_to_message: "_Message | None" = None
    reply_markup: Any = None

    @property
    def thread(self) -> int | None:
        return self.message_thread_id if self.is_topic_message else None

    @property
    def conversation(self) -> str:
        return f"{CHANNEL}:{self.chat.id}" + (f":{self.thread}" if self.thread else "")


class _Press(_Part):
    id: str
    sender: _User = Field(alias="from")
    message: _Message | None = None
    data: str = ""


class _Emoji(_Part):
    emoji: str = ""


class _Reacted(_Part):
    chat: _Chat
    message_id: int
    date: int = 0
    user: _User | None = None
    old_reaction: tuple[_Emoji, ...] = ()
    new_reaction: tuple[_Emoji, ...] = ()


class _Update(_Part):
    update_id: int
    message: _Message | None = None
    callback_query: _Press | None = None
    message_reaction: _Reacted | None = None


def read(raw: object, me: Me) -> Heard:
    """What the update says to the bot; None where it is not for it. Raises Malformed, NotYet."""
    try:
        update = _Update.model_validate(raw)
    except ValidationError as error:
        where = ", ".join(".".join(map(str, e["loc"])) or "the whole" for e in error.errors()[:5])
        raise Malformed(f"not an update: {where}") from error
    event_id = f"{me.id}:{update.update_id}"
    if update.callback_query:
        return _pressed(update.callback_query, event_id)
    if update.message_reaction:
        return _reacted(update.message_reaction, event_id)
    return _said(update.message, event_id, me) if update.message else None


def press_id(raw: object) -> str | None:
    """The id of a pressed button's query, which Telegram wants answered whatever it says."""
    query = raw.get("callback_query") if isinstance(raw, Mapping) else None
    found = query.get("id") if isinstance(query, Mapping) else None
    return found if isinstance(found, str) else None


def _said(message: _Message, event_id: str, me: Me) -> Heard:
    if message.sender is None or message.sender.is_bot or message.chat.type == "channel":
        return None
    text = _UNSTORABLE.sub("", message.text or message.caption).strip()
    alone = message.chat.type == "private"
    if not (alone or me.username):
        raise NotYet
    if not text:
        wordless = not (message.model_extra or {}).keys().isdisjoint(_MEDIA)
        return Unreadable(message.chat.id, message.thread) if alone and wordless else None
    if answered := _answer_to_prompt(message, text, me):
        return _message(message, message.sender, event_id, answered, is_button=True)
    command = _COMMAND.match(text)
    if command and command[2] and command[2].lower() != me.username.lower():
        return None
    if not (alone or command or _addressed(message, text, me)):
        return None
    words = _as_command(text, command) if command else _without_mention(text, me)
    return _message(message, message.sender, event_id, words) if words else None


def _addressed(message: _Message, text: str, me: Me) -> bool:
    to = message.reply_to_message
    if to and to.sender and to.sender.id == me.id:
        return True
    if any(e.type == "text_mention" and e.user and e.user.id == me.id for e in message.entities):
        return True
    return bool(me.username and re.search(rf"@{re.escape(me.username)}\b", text, re.IGNORECASE))


def _as_command(text: str, command: re.Match[str]) -> str:
    # Telegram's own commands have no hyphens; /start is what its Start button says
    name = command[1].replace("_", "-")
    return "/help" if name == "start" else f"/{name}{text[command.end() :]}"


def _without_mention(text: str, me: Me) -> str:
    if not me.username:
        return text
    name = rf"@{re.escape(me.username)}\b"
    return re.sub(rf"^{name}[\s,:]*|\s*{name}$", "", text, flags=re.IGNORECASE).strip() or "/help"


def _answer_to_prompt(message: _Message, text: str, me: Me) -> str:
    """The command that a prompt of ours asked words for, with the words; or ""."""
    to = message.reply_to_message
    if to is None or to.sender is None or to.sender.id != me.id:
        return ""
    lines = to.text.rsplit("\n", 2)
    if len(lines) != 3 or not lines[2].startswith("· "):
        return ""
    known = hmac.compare_digest(lines[2][2:].encode(), me.seal(message.chat.id, lines[1]).encode())
    return f"{lines[1]} {text}" if known else ""


def _pressed(press: _Press, event_id: str) -> Heard:
    message, data = press.message, _UNSTORABLE.sub("", press.data)
    if message is None or press.sender.is_bot or not data:
        return None
    if data.startswith(ASKS):
        command = data[len(ASKS) :]
        return Asking(message.chat.id, message.thread, command, _label(message, press.data))
    told = _message(message, press.sender, event_id, data, is_button=True)
    # The pressed message's date and id are the question's past, not this saying's time
    return replace(told, sent_at=None, address={**told.address, "reply_to": None})


def _label(message: _Message, data: str) -> str:
    """The label of the pressed button, as the message's own keyboard has it."""
    markup = message.reply_markup
    rows = markup.get("inline_keyboard") if isinstance(markup, Mapping) else None
    for row in rows if isinstance(rows, list) else ():
        for key in row if isinstance(row, list) else ():
            if isinstance(key, Mapping) and key.get("callback_data") == data:
                return str(key.get("text"))
    return "Your words"


def _reacted(reacted: _Reacted, event_id: str) -> Reaction | None:
    before = {r.emoji for r in reacted.old_reaction}
    verdicts = [
        verdict
        for emoji, verdict in (("👍", "up"), ("👎", "down"))
        if emoji not in before and any(r.emoji == emoji for r in reacted.new_reaction)
    ]
    if not verdicts or reacted.user is None or reacted.user.is_bot:
        return None
    on = _Message.model_validate(
        {"message_id": reacted.message_id, "chat": reacted.chat, "date": reacted.date}
    )
    message = _message(on, reacted.user, event_id, "", is_button=True)
    return Reaction(reacted.chat.id, reacted.message_id, verdicts[-1], message)


def _message(
    message: _Message, user: _User, event_id: str, text: str, *, is_button: bool = False
) -> Message:
    name = " ".join(filter(None, (user.first_name, user.last_name))) or user.username
    in_group = message.chat.type != "private"
    return Message(
        workspace=WORKSPACE,
        channel=CHANNEL,
        event_id=event_id,
        conversation=message.conversation,
        sender=Sender(str(user.id), _UNSTORABLE.sub("", name), is_bot=user.is_bot),
        text=text,
        address={
            "chat_id": message.chat.id,
            "thread_id": message.thread,
            "after": message.message_id,
            "reply_to": message.message_id if in_group else None,
            "user_id": user.id,
        },
        sent_at=message.date * 1000 or None,
        is_button=is_button,
    )
