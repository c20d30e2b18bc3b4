"""What a Telegram bot can do to chats, under Telegram's rules; and who is in them."""

import re
import time
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.telegram_html import CantParse, parse

ME = {"id": 123456, "is_bot": True, "first_name": "Ratchet", "username": "ratchet_bot"}
Json = dict[str, Any]

_SCOPES = {"default", "all_private_chats", "all_group_chats", "all_chat_administrators", "chat"}
_KNOWN = set("abcdefghijklmnopqrstuvwxyz0123456789_")


class Refused(Exception):
    def __init__(self, code: int, text: str, **parameters: object) -> None:
        super().__init__(text)
        self.code, self.text, self.parameters = code, text, parameters


@dataclass
class Chats:
    """Private chats share one sequence of message ids, every supergroup has its own."""

    now: int = 1_780_000_000
    messages: dict[tuple[int, int], Json] = field(default_factory=dict)
    unreachable: set[int] = field(default_factory=set)
    moved: dict[int, int] = field(default_factory=dict)
    """Groups that became supergroups: old id → new id."""
    drafts: dict[int, list[Json]] = field(default_factory=lambda: defaultdict(list))
    """What was shown as a draft since the last message of the bot, by private chat."""
    answers: dict[str, Json] = field(default_factory=dict)
    """Answered button presses."""
    menus: dict[tuple[str, int, str], list[str]] = field(default_factory=dict)
    """(scope, chat or 0, language) → names of commands."""
    per_group: int = 20
    """Messages and edits a minute."""
    presses: set[str] = field(default_factory=set)
    _sequences: dict[int, int] = field(default_factory=dict)
    _chats: dict[int, Json] = field(default_factory=dict)
    _spoken: dict[int, deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def chat(self, chat_id: int) -> Json:
        kind = "private" if chat_id > 0 else "supergroup" if chat_id < -(10**12) else "group"
        return self._chats.setdefault(chat_id, {"id": chat_id, "type": kind})

    def shown(self, chat: int = 7) -> list[Json]:
        """The bot's messages that are there now, in order."""
        mine = [m for (c, _), m in self.messages.items() if c == chat and m["from"] == ME]
        return sorted(mine, key=lambda m: int(m["message_id"]))

    def new(self, chat_id: int, user: int, content: Json) -> Json:
        sequence = chat_id if chat_id < -(10**12) else 0
        number = self._sequences[sequence] = self._sequences.get(sequence, 100) + 1
        message = {
            "message_id": number,
            "date": self.now,
            "chat": self.chat(chat_id),
            "from": user_of(user) if user else ME,
            **content,
        }
        self.messages[chat_id, number] = message
        return message

    async def do_getMe(self, params: Json) -> Json:
        return ME

    async def do_setMyCommands(self, params: Json) -> bool:
        commands = params["commands"]
        if not 0 < len(commands) <= 100:
            raise Refused(400, "Bad Request: BOT_COMMANDS_TOO_MUCH")
        for command in commands:
            name, text = command["command"], command["description"]
            if not 1 <= len(name) <= 32 or set(name) - _KNOWN or not 1 <= len(text) <= 256:
                raise Refused(400, "Bad Request: BOT_COMMAND_INVALID")
        scope, language = params.get("scope", {"type": "default"}), params.get("language_code", "")
        if scope["type"] not in _SCOPES or not re.fullmatch("([a-z]{2})?", language):
            raise Refused(400, "Bad Request: scope or language is invalid")
        chat = self._reach(scope) if scope["type"] == "chat" else 0
        self.menus[scope["type"], chat, language] = [c["command"] for c in commands]
        return True

    async def do_sendMessage(self, params: Json) -> Json:
        return self._send(params, {"text": _text(params, "text", 4096)})

    async def do_sendPhoto(self, params: Json) -> Json:
        if not params.get("photo"):
            raise Refused(400, "Bad Request: there is no photo in the request")
        photo = [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}]
        caption = _text(params, "caption", 1024) if params.get("caption") else ""
        return self._send(params, {"photo": photo, "caption": caption})

    async def do_sendDocument(self, params: Json) -> Json:
        if not params.get("document"):
            raise Refused(400, "Bad Request: there is no document in the request")
        size = int(str(params["document"]).split()[0])
        if size > 50_000_000:
            raise Refused(413, "Request Entity Too Large")
        if size == 0:
            raise Refused(400, "Bad Request: file must be non-empty")
        document = {"file_id": "d", "file_unique_id": "d", "file_size": size}
        return self._send(params, {"document": document | {"file_name": params["document_name"]}})

    async def do_editMessageText(self, params: Json) -> Json:
        return self._edit(params, {"text": _text(params, "text", 4096)})

    async def do_editMessageReplyMarkup(self, params: Json) -> Json:
        return self._edit(params, {})

    async def do_deleteMessage(self, params: Json) -> bool:
        if self.messages.pop((int(params["chat_id"]), int(params["message_id"])), None) is None:
            raise Refused(400, "Bad Request: message to delete not found")
        return True

    async def do_answerCallbackQuery(self, params: Json) -> bool:
        if len(str(params.get("text", ""))) > 200:
            raise Refused(400, "Bad Request: MESSAGE_TOO_LONG")
        if params["callback_query_id"] not in self.presses:
            raise Refused(400, "Bad Request: query is too old and response timeout expired")
        self.answers[params["callback_query_id"]] = params
        return True

    async def do_sendChatAction(self, params: Json) -> bool:
        self._reach(params)
        return True

    async def do_sendMessageDraft(self, params: Json) -> bool:
        if self._reach(params) < 0:
            raise Refused(400, "Bad Request: TEXTDRAFT_PEER_INVALID")
        if not int(params.get("draft_id", 0)):
            raise Refused(400, "Bad Request: draft identifier must be non-zero")
        text = _text(params, "text", 4096) if params.get("text") else ""
        self.drafts[int(params["chat_id"])].append({"id": int(params["draft_id"]), "text": text})
        return True

    def _reach(self, params: Json) -> int:
        chat_id = int(params["chat_id"])
        if chat_id in self.unreachable:
            raise Refused(403, "Forbidden: bot was blocked by the user")
        if chat_id in self.moved:
            new, text = self.moved[chat_id], "Bad Request: group chat was upgraded to a supergroup"
            raise Refused(400, f"{text} chat", migrate_to_chat_id=new)
        if chat_id not in self._chats:
            raise Refused(400, "Bad Request: chat not found")
        return chat_id

    def _speak(self, chat_id: int) -> None:
        """Counts what is said in a group."""
        if chat_id > 0:
            return
        spoken, now = self._spoken[chat_id], time.monotonic()
        while spoken and spoken[0] < now - 60:
            spoken.popleft()
        if len(spoken) >= self.per_group:
            wait = int(spoken[0] + 60 - now) + 1
            raise Refused(429, f"Too Many Requests: retry after {wait}", retry_after=wait)
        spoken.append(now)

    def _send(self, params: Json, content: Json) -> Json:
        chat_id = self._reach(params)
        markup = _checked(params.get("reply_markup"))
        quoted = params.get("reply_parameters")
        thread = params.get("message_thread_id")
        if thread is not None and not self._has_topic(chat_id, int(thread)):
            raise Refused(400, "Bad Request: message thread not found")
        original = self.messages.get((chat_id, quoted["message_id"])) if quoted else None
        if quoted and original is None and not quoted.get("allow_sending_without_reply"):
            raise Refused(400, "Bad Request: message to be replied not found")
        self._speak(chat_id)
        message = self.new(chat_id, 0, content)
        self.drafts.pop(chat_id, None)
        if thread is not None:
            message |= {"message_thread_id": int(thread), "is_topic_message": True}
            self.messages[chat_id, message["message_id"]] = message
        if markup and "inline_keyboard" in markup:
            message["reply_markup"] = markup
        if original is not None:
            flat = {k: v for k, v in original.items() if k != "reply_to_message"}
            message["reply_to_message"] = flat
        return message

    def _has_topic(self, chat_id: int, thread: int) -> bool:
        said = (m for (chat, _), m in self.messages.items() if chat == chat_id)
        return any(m.get("message_thread_id") == thread and m.get("is_topic_message") for m in said)

    def _edit(self, params: Json, content: Json) -> Json:
        chat_id = self._reach(params)
        message = self.messages.get((chat_id, int(params["message_id"])))
        if message is None:
            raise Refused(400, "Bad Request: message to edit not found")
        if message["from"] != ME:
            raise Refused(400, "Bad Request: message can't be edited")
        if content and "text" not in message:
            raise Refused(400, "Bad Request: there is no text in the message to edit")
        before = dict(message)
        after = {k: v for k, v in (message | content).items() if k != "reply_markup"}
        if markup := _checked(params.get("reply_markup")):
            after["reply_markup"] = markup
        if after == before:
            raise Refused(400, "Bad Request: message is not modified: specified new message ...")
        self._speak(chat_id)
        message.clear()
        message.update(after)
        return message


def user_of(user: int) -> Json:
    return {"id": user, "is_bot": False, "first_name": f"Person {user}"}


def _text(params: Mapping[str, Any], name: str, limit: int) -> str:
    text = str(params.get(name, ""))
    if params.get("parse_mode") == "HTML":
        try:
            text = parse(text)
        except CantParse as error:
            raise Refused(400, f"Bad Request: {error}") from error
    if not text.strip():
        raise Refused(400, "Bad Request: message text is empty")
    if len(text.encode("utf-16-le")) // 2 > limit:
        raise Refused(400, "Bad Request: message is too long")
    return text.strip()


def _checked(markup: Json | None) -> Json | None:
    for row in (markup or {}).get("inline_keyboard", []):
        for key in row:
            if not key.get("text") or not 1 <= len(key.get("callback_data", "").encode()) <= 64:
                raise Refused(400, "Bad Request: BUTTON_DATA_INVALID")
    placeholder = (markup or {}).get("input_field_placeholder", "-")
    if not 1 <= len(placeholder) <= 64:
        raise Refused(400, "Bad Request: placeholder is too long")
    return markup
