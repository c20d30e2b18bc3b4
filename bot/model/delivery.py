"""A reply on its way out: the outbox's record."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class DeliveryStatus(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    """The intent is recorded; whether the platform got it is not known yet."""
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Delivery:
    """`reply` is `bot.model.codec.reply_to_json`. `edits` is the platform's reference of an
    earlier message that this one replaces in place; `ref` is the reference the platform gave.
    `card` names what the message shows ("P12"), so that every copy of it can be updated.
    """

    id: str
    workspace: str
    run_id: str
    channel: str
    address: Mapping[str, object]
    reply: Mapping[str, object]
    status: DeliveryStatus = DeliveryStatus.QUEUED
    attempts: int = 0
    next_at: int = 0
    edits: Mapping[str, object] | None = None
    ref: Mapping[str, object] | None = None
    card: str = ""
    error: str = ""

    @property
    def place(self) -> str:
        """Where it goes: replies to one place are sent in order."""
        return place_of(self.channel, self.address)


def place_of(channel: str, address: Mapping[str, object]) -> str:
    """The room or chat that an address points into, whatever the thread."""
    where = next((address[key] for key in ("channel", "chat_id", "to") if key in address), "")
    return f"{channel}:{where}"
