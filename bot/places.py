"""Where what nobody asked for can go: a place that was spoken in, a person's own chat; pure."""

from collections.abc import Mapping
from dataclasses import dataclass

ADDRESS_KEY: Mapping[str, str] = {"slack": "channel", "telegram": "chat_id", "whatsapp": "to"}
"""The platforms that can be written to unasked, and what names the place in an address there."""

_KEPT = ("to", "wa_id", "user_id", "person")
"""What tells whom an address on WhatsApp reaches."""


_THREAD = (*ADDRESS_KEY.values(), *_KEPT, "team", "thread_ts", "thread_id")

NAMES: Mapping[str, str] = {"slack": "Slack", "telegram": "Telegram", "whatsapp": "WhatsApp"}


@dataclass(frozen=True, slots=True)
class Place:
    """`name` is the same for the same place, whatever the thread. `own` says that it is the chat
    of one person alone."""

    channel: str
    name: str
    address: Mapping[str, object]
    own: bool


@dataclass(frozen=True, slots=True)
class Reached:
    """`open` can be written to; `shut` counts those that refuse us or said no."""

    open: tuple[Place, ...] = ()
    shut: int = 0


def thread_of(channel: str, address: Mapping[str, object]) -> dict[str, object] | None:
    """Where more can be said later to where something was said: the same thread, without what
    belonged to that one message. None where nothing can be sent unasked."""
    if not address.get(ADDRESS_KEY.get(channel, "")):
        return None
    return {name: value for name, value in address.items() if name in _THREAD}


def spoken_in(channel: str, address: Mapping[str, object], person: str) -> Place | None:
    """The place of a saying by whoever has the platform id `person`, without its thread; a forum's
    topic stays. None where nothing can be sent unasked."""
    if channel not in ADDRESS_KEY:
        return None
    where = address.get(ADDRESS_KEY[channel])
    alone = channel == "whatsapp" or str(where) == person
    if alone or (channel == "slack" and str(where).startswith("D")):
        return own_chat(channel, person, address)
    bare: dict[str, object] = {ADDRESS_KEY[channel]: where}
    name = str(where)
    if topic := channel == "telegram" and address.get("thread_id"):
        bare["thread_id"], name = topic, f"{where}:{topic}"
    return Place(channel, name, bare, own=False) if where else None


def own_chat(channel: str, person: str, address: Mapping[str, object] | None = None) -> Place:
    """The chat with one person by their platform id; `address` is one that reached them."""
    if channel == "whatsapp":
        kept = {k: v for k, v in (address or {}).items() if k in _KEPT}
        return Place(channel, person, {"to": person, **kept}, own=True)
    # A private chat's id is the person's id on Telegram; Slack opens the chat for it.
    return Place(channel, person, {ADDRESS_KEY[channel]: person}, own=True)


def named(where: str) -> Place | None:
    """ "slack:C012AB3CD" as the settings and a policy say it; None for what is no place."""
    channel, _, name = where.partition(":")
    if channel not in ADDRESS_KEY or not name:
        return None
    if is_own(channel, name):
        return own_chat(channel, name)
    return Place(channel, name, {ADDRESS_KEY[channel]: name}, own=False)


def is_own(channel: str, name: str) -> bool:
    """Whether a place of this name is the chat of one person alone."""
    if channel == "slack":
        return name.startswith(("U", "W", "D"))
    return channel == "whatsapp" or not name.startswith(("-", "@"))
