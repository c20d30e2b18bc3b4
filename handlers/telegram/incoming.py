"""Telegram update → Message, or what else it asks of the channel; pure."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from bot.model.file import FileRef
from bot.model.message import Message, Sender
from handlers.telegram.attachments import files_of, unreadable
from handlers.telegram.outgoing import ASKS
from handlers.telegram.place import Place
from handlers.telegram.updates import Membership, Pressed, Reacted, Said, Update, User, parse

WORKSPACE = "local"
CHANNEL = "telegram"

_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_COMMAND = re.compile(r"/(\w+)(?:@(\w+))?(?=\s|$)")
_DETAILS = re.compile(r"/proposals\s+\S")
_CANCEL = {"cancel", "/cancel", "abbrechen", "cancelar", "annuler", "annulla"}
_LEFT = {"left", "kicked"}
LEFT_AS_IT_IS = "Left as it is."


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
    """A button was pressed that wants words before it says its command. `user` is named in the
    prompt where others are listening."""

    place: Place
    command: str
    label: str
    user: int
    name: str = ""


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
class Telling:
    """Something to be said at once. `once` names what it is said about a single time."""

    place: Place
    text: str
    once: str = ""


@dataclass(frozen=True, slots=True)
class Loose:
    """A piece of an album in a group, which is for the bot only if another piece says so."""

    message: Message


@dataclass(frozen=True, slots=True)
class Migrated:
    """A group became a supergroup: what was `old` is now `new`."""

    old: int
    new: int


@dataclass(frozen=True, slots=True)
class Presence:
    """The bot was let in (or unblocked), or was thrown out (or blocked)."""

    chat_id: int
    there: bool


Heard = Message | Asking | Reaction | Telling | Loose | Migrated | Presence | None


def read(raw: object, me: Me) -> Heard:
    """What the update says to the bot; None where it is not for it. Raises Malformed, NotYet."""
    update: Update = parse(raw)
    event_id = f"{me.id}:{update.update_id}"
    if update.callback_query:
        return _pressed(update.callback_query, event_id)
    if update.message_reaction:
        return _reacted(update.message_reaction, event_id)
    if update.my_chat_member:
        return _present(update.my_chat_member)
    return _said(update.message, event_id, me) if update.message else None


def _said(message: Said, event_id: str, me: Me) -> Heard:
    if message.migrate_to_chat_id is not None:
        return Migrated(message.chat.id, message.migrate_to_chat_id)
    if not message.of_a_person or message.sender is None:
        return None
    text = _UNSTORABLE.sub("", message.text or message.caption).strip()
    if not (message.alone or me.username):
        raise NotYet
    if answered := _answer_to_prompt(message, text, me):
        if text.casefold() in _CANCEL:
            return Telling(_place(message), LEFT_AS_IT_IS)
        return _message(message, message.sender, event_id, answered, is_button=True)
    command = _COMMAND.match(text)
    if command and command[2] and command[2].lower() != me.username.lower():
        return None
    if not (message.alone or command or _addressed(message, text, me)):
        loose = message.media_group_id and files_of(message)
        return Loose(_message(message, message.sender, event_id, "")) if loose else None
    if not command and (what := unreadable(message)):
        return Telling(_place(message), _unread(what), message.media_group_id)
    words = _as_command(text, command) if command else _without_mention(text, message, me)
    return _message(message, message.sender, event_id, words) if words else None


def _unread(what: str) -> str:
    return f"I can't use {what}: please write it in words. Text, pictures and documents are fine."


def _addressed(message: Said, text: str, me: Me) -> bool:
    to = message.reply_to_message
    if to and to.sender and to.sender.id == me.id:
        return True
    marks = (*message.entities, *message.caption_entities)
    if any(e.type == "text_mention" and e.user and e.user.id == me.id for e in marks):
        return True
    return bool(me.username and re.search(rf"@{re.escape(me.username)}\b", text, re.IGNORECASE))


def _as_command(text: str, command: re.Match[str]) -> str:
    # Telegram's own commands have no hyphens; /start is what its Start button says
    name = command[1].replace("_", "-")
    return "/help" if name == "start" else f"/{name}{text[command.end() :]}"


def _without_mention(text: str, message: Said, me: Me) -> str:
    if me.username:
        name = rf"@{re.escape(me.username)}\b"
        text = re.sub(rf"^{name}[\s,:]*|\s*{name}$", "", text, flags=re.IGNORECASE).strip()
    if text:
        return text
    if files := files_of(message):
        return f"Here is {files[0].name}."
    return "/help" if message.text or message.caption else ""


def _answer_to_prompt(message: Said, text: str, me: Me) -> str:
    """The command that a prompt of ours asked words for, with the words; or ""."""
    to = message.reply_to_message
    if not text or to is None or to.sender is None or to.sender.id != me.id:
        return ""
    lines = to.text.rsplit("\n", 2)
    if len(lines) != 3 or not lines[2].startswith("· "):
        return ""
    known = hmac.compare_digest(lines[2][2:].encode(), me.seal(message.chat.id, lines[1]).encode())
    return f"{lines[1]} {text}" if known else ""


def _pressed(press: Pressed, event_id: str) -> Heard:
    message, data = press.message, _UNSTORABLE.sub("", press.data)
    if message is None or press.sender.is_bot or not data:
        return None
    if data.startswith(ASKS):
        named = "" if message.alone else _UNSTORABLE.sub("", press.sender.name)
        place, label = Place(message.chat.id, message.thread), _label(message, press.data)
        return Asking(place, data[len(ASKS) :], label, press.sender.id, named)
    told = _message(message, press.sender, event_id, data, is_button=True)
    # The pressed message's date and id are the question's past, not this saying's time
    return replace(told, sent_at=None, address={**told.address, "reply_to": None}, files=())


def _label(message: Said, data: str) -> str:
    """The label of the pressed button, as the message's own keyboard has it."""
    markup = message.reply_markup
    rows = markup.get("inline_keyboard") if isinstance(markup, Mapping) else None
    for row in rows if isinstance(rows, list) else ():
        for key in row if isinstance(row, list) else ():
            if isinstance(key, Mapping) and key.get("callback_data") == data:
                return str(key.get("text"))
    return "Your words"


def _reacted(reacted: Reacted, event_id: str) -> Reaction | None:
    before = {r.emoji for r in reacted.old_reaction}
    verdicts = [
        verdict
        for emoji, verdict in (("👍", "up"), ("👎", "down"))
        if emoji not in before and any(r.emoji == emoji for r in reacted.new_reaction)
    ]
    if not verdicts or reacted.user is None or reacted.user.is_bot:
        return None
    on = Said.model_validate(
        {"message_id": reacted.message_id, "chat": reacted.chat, "date": reacted.date}
    )
    message = _message(on, reacted.user, event_id, "", is_button=True)
    return Reaction(reacted.chat.id, reacted.message_id, verdicts[-1], message)


def _present(member: Membership) -> Presence | None:
    status = member.new_chat_member.status
    return Presence(member.chat.id, status not in _LEFT) if status else None


def _place(message: Said) -> Place:
    """Where to answer, quoting it where others talk as well."""
    reply_to = None if message.alone else message.message_id
    return Place(message.chat.id, message.thread, reply_to)


def _message(
    message: Said, user: User, event_id: str, text: str, *, is_button: bool = False
) -> Message:
    return Message(
        workspace=WORKSPACE,
        channel=CHANNEL,
        event_id=event_id,
        conversation=conversation(message.chat.id, message.thread),
        sender=Sender(str(user.id), _UNSTORABLE.sub("", user.name), is_bot=user.is_bot),
        text=text,
        address={
            "chat_id": message.chat.id,
            "thread_id": message.thread,
            "after": message.message_id,
            "reply_to": None if message.alone else message.message_id,
            "user_id": user.id,
            # Who asks for one proposal wants to see all of it
            **({"whole": True} if _DETAILS.match(text) else {}),
        },
        sent_at=message.date * 1000 or None,
        is_button=is_button,
        files=() if is_button else _files(message),
    )


def _files(message: Said) -> tuple[FileRef, ...]:
    """Its own, or those of the message it is about."""
    about = message.reply_to_message
    return files_of(message) or (files_of(about) if about else ())


def conversation(chat_id: int, thread_id: int | None) -> str:
    return f"{CHANNEL}:{chat_id}" + (f":{thread_id}" if thread_id else "")
