"""Where messages go on Telegram, what is seen there, and what can go wrong."""

from dataclasses import dataclass

from bot.errors import ChannelError, ChannelUnavailable

_REASONS = (
    ("blocked by the user", "the person has blocked the bot"),
    ("user is deactivated", "the person's account is gone"),
    ("initiate conversation", "the person never pressed Start in a chat with the bot"),
    ("kicked", "the bot was removed from the chat"),
    ("not a member", "the bot is not a member of the chat"),
    ("chat was deleted", "the chat was deleted"),
    ("chat not found", "the bot knows no such chat"),
    ("peer_id_invalid", "the bot knows no such chat"),
)


class Unreachable(ChannelError):
    """The bot may not write there: it was blocked, removed, or never greeted."""

    @property
    def why(self) -> str:
        """In words for the owner."""
        said = str(self).lower()
        return next((why for sign, why in _REASONS if sign in said), "Telegram forbids it")


class MessageGone(ChannelError):
    """The message to change is not there any more, or can't be changed."""


class Lacking(ChannelError):
    """The server does not have this method."""


class Moved(ChannelError):
    """The group became a supergroup under a new id; nothing was shown under the old one."""

    def __init__(self, chat_id: int) -> None:
        super().__init__(f"the group has the id {chat_id} now")
        self.chat_id = chat_id


class TokenRejected(ChannelUnavailable):
    """Nothing works until TELEGRAM_BOT_TOKEN is right."""


class Rivalled(ChannelUnavailable):
    """Another process polls with the same token, or a webhook is set."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message goes. `reply_to` is the message it quotes."""

    chat_id: int | str
    thread_id: int | None = None
    reply_to: int | None = None

    @property
    def private(self) -> bool:
        """A person's own chat; groups and channels have negative ids."""
        return isinstance(self.chat_id, int) and self.chat_id > 0


@dataclass(frozen=True, slots=True)
class Seen:
    """A message as the platform shows it; `data` is None where the platform doesn't say. `file`
    is the name of the document it carries."""

    message_id: int
    author: int
    text: str
    data: tuple[str, ...] | None
    file: str = ""


def as_chat(value: object) -> int | str:
    """A number, or its text as settings have it, or a public name such as @team."""
    text = str(value)
    return int(text) if text.lstrip("-").isdigit() else text


def gone(said: str) -> bool:
    """Whether a 400 says that there is no chat to write to."""
    return "chat not found" in said or "peer_id_invalid" in said or "chat was deleted" in said


def unchangeable(said: str) -> bool:
    """Whether a 400 says that the message can't be changed."""
    return "message to edit not found" in said or "can't be edited" in said or "id_invalid" in said
