"""The parts of a Telegram update that are looked at; what else it holds is kept aside."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

UPDATE_KINDS = ("message", "callback_query", "message_reaction", "my_chat_member")

_GENERAL = 1
"""The topic of a forum that is none: nothing may be sent to it by this number."""
_CHANNELS_POST = 777_000
"""Who Telegram says wrote what a channel posts into its discussion group."""


class Malformed(ValueError):
    """Not an update of the Bot API."""


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")

    def more(self, name: str) -> Any:
        """A field that is not declared, as it came; None where there is none."""
        return (self.model_extra or {}).get(name)


class User(Part):
    id: int
    is_bot: bool = False
    first_name: str = ""
    last_name: str = ""
    username: str = ""

    @property
    def name(self) -> str:
        return " ".join(filter(None, (self.first_name, self.last_name))) or self.username


class Chat(Part):
    id: int
    type: str = "private"


class Mention(Part):
    type: str
    user: User | None = None


class Said(Part):
    message_id: int
    chat: Chat
    date: int = 0
    sender: User | None = Field(None, alias="from")
    text: str = ""
    caption: str = ""
    entities: tuple[Mention, ...] = ()
    caption_entities: tuple[Mention, ...] = ()
    message_thread_id: int | None = None
    is_topic_message: bool = False
    is_automatic_forward: bool = False
    media_group_id: str = ""
    migrate_to_chat_id: int | None = None
    reply_to_message: "Said | None" = None
    reply_markup: Any = None

    @property
    def thread(self) -> int | None:
        inside = self.is_topic_message and self.message_thread_id != _GENERAL
        return self.message_thread_id if inside else None

    @property
    def alone(self) -> bool:
        """Whether nobody else is in the chat."""
        return self.chat.type == "private"

    @property
    def of_a_person(self) -> bool:
        if self.sender is None or self.sender.is_bot or self.chat.type == "channel":
            return False
        return not self.is_automatic_forward and self.sender.id != _CHANNELS_POST


class Pressed(Part):
    id: str
    sender: User = Field(alias="from")
    message: Said | None = None
    data: str = ""


class Emoji(Part):
    emoji: str = ""


class Reacted(Part):
    chat: Chat
    message_id: int
    date: int = 0
    user: User | None = None
    old_reaction: tuple[Emoji, ...] = ()
    new_reaction: tuple[Emoji, ...] = ()


class Standing(Part):
    status: str = ""


class Membership(Part):
    chat: Chat
    date: int = 0
    new_chat_member: Standing


class Update(Part):
    update_id: int
    message: Said | None = None
    callback_query: Pressed | None = None
    message_reaction: Reacted | None = None
    my_chat_member: Membership | None = None


def parse(raw: object) -> Update:
    """Raises Malformed, naming the fields at fault."""
    try:
        return Update.model_validate(raw)
    except ValidationError as error:
        where = ", ".join(".".join(map(str, e["loc"])) or "the whole" for e in error.errors()[:5])
        raise Malformed(f"not an update: {where}") from error


def is_update(raw: object) -> bool:
    return isinstance(raw, dict) and type(raw.get("update_id")) is int


def album_of(raw: object) -> str:
    """The album that the update's message is a piece of, or ""."""
    message = raw.get("message") if isinstance(raw, Mapping) else None
    found = message.get("media_group_id") if isinstance(message, Mapping) else None
    return found if isinstance(found, str) else ""


def press_id(raw: object) -> str | None:
    """The id of a pressed button's query, which Telegram wants answered whatever it says."""
    query = raw.get("callback_query") if isinstance(raw, Mapping) else None
    found = query.get("id") if isinstance(query, Mapping) else None
    return found if isinstance(found, str) else None


def chat_of(raw: object) -> int | None:
    """The chat that the update's message was said in."""
    message = raw.get("message") if isinstance(raw, Mapping) else None
    chat = message.get("chat") if isinstance(message, Mapping) else None
    found = chat.get("id") if isinstance(chat, Mapping) else None
    return found if type(found) is int else None
