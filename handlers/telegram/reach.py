"""Which chats can be written to: those that refused us for good, and those that moved."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.errors import StorageError
from bot.model.contact import Contact
from bot.ports.clock import Clock
from bot.ports.stores import Contacts
from handlers.telegram.incoming import CHANNEL, WORKSPACE
from handlers.telegram.place import Unreachable, as_chat

_CHATS = 5_000
_FRESH = 30.0
"""Seconds that what the database said about a chat is believed; other nodes write it too."""
_TO, _FROM = "moved_to", "moved_from"
_HOPS = 3


class Shut(Unreachable):
    """The chat is known to refuse: nothing was sent."""

    told = True


@dataclass(frozen=True, slots=True)
class _Known:
    contact: Contact | None
    until: float


class Reach:
    """A database that can't be asked hinders nobody: then Telegram's own word counts."""

    def __init__(self, contacts: Contacts | None, clock: Clock, log: Any) -> None:
        self._contacts, self._clock, self._log = contacts, clock, log
        self._known: OrderedDict[str, _Known] = OrderedDict()

    async def check(self, chat: int | str) -> None:
        """Raises Shut where the chat has refused us and was not heard of since."""
        contact = await self._contact(chat)
        if contact and contact.disabled_at:
            raise Shut(f"{contact.disabled_why}: chat {chat} is not written to")

    async def lost(self, chat: int | str, error: Unreachable) -> Unreachable:
        """Writes there no more; the error in words for the owner, who is told once per chat."""
        if isinstance(error, Shut) or self._contacts is None:
            return error
        first = await self._shut(chat, error.why)
        kind = Unreachable if first else Shut
        back = (
            "the bot is let in again" if _in_group(chat) else "the person writes to the bot again"
        )
        return kind(f"{error.why}. Nothing more is sent to chat {chat} until {back}")

    async def heard(self, chat: int | str, *, surely: bool = False) -> None:
        """Someone spoke there: it is written to again. `surely` doesn't trust what is known."""
        if surely:
            self._known.pop(str(chat), None)
        contact = await self._contact(chat)
        if contact and contact.disabled_at:
            await self._keep(chat, contact.address or {"chat_id": chat})

    async def moved(self, old: int | str, new: int) -> None:
        """The group `old` is `new` from now on: replies to the old address go there, and what was
        talked about goes on."""
        if str(old) == str(new):
            return
        await self._keep(old, {"chat_id": old, _TO: new})
        await self._keep(new, {"chat_id": new, _FROM: as_chat(old)})

    async def now_at(self, chat: int | str) -> int | str:
        """Where a chat is by now."""
        for _ in range(_HOPS):
            contact = await self._contact(chat) if _in_group(chat) else None
            moved = contact.address.get(_TO) if contact else None
            if not isinstance(moved, int):
                break
            chat = moved
        return chat

    async def once_at(self, chat: int) -> int:
        """The id under which a group's conversations were begun."""
        for _ in range(_HOPS):
            contact = await self._contact(chat) if _in_group(chat) else None
            before = contact.address.get(_FROM) if contact else None
            if not isinstance(before, int):
                break
            chat = before
        return chat

    async def _contact(self, chat: int | str) -> Contact | None:
        if self._contacts is None:
            return None
        now = self._clock.monotonic()
        known = self._known.get(str(chat))
        if known and known.until > now:
            return known.contact
        try:
            contact = await self._contacts.get(WORKSPACE, CHANNEL, str(chat))
        except StorageError as error:
            self._log.warning("telegram_chat_unknown", chat=chat, cause=str(error))
            return known.contact if known else None
        self._known[str(chat)] = _Known(contact, now + _FRESH)
        self._known.move_to_end(str(chat))
        if len(self._known) > _CHATS:
            self._known.popitem(last=False)
        return contact

    async def _keep(self, chat: int | str, address: Mapping[str, object]) -> None:
        if self._contacts is None:
            return
        try:
            # Later than a refusal, also where both are within a millisecond
            now = self._clock.now() + 1
            await self._contacts.heard(WORKSPACE, CHANNEL, str(chat), now, address)
        except StorageError as error:
            self._log.warning("telegram_chat_not_kept", chat=chat, cause=str(error))
        self._known.pop(str(chat), None)

    async def _shut(self, chat: int | str, why: str) -> bool:
        """True for the first to say so."""
        if self._contacts is None:
            return True
        self._known.pop(str(chat), None)
        try:
            now = self._clock.now()
            return await self._contacts.disable(WORKSPACE, CHANNEL, str(chat), now, why)
        except StorageError as error:
            self._log.warning("telegram_chat_not_shut", chat=chat, cause=str(error))
            return True


def _in_group(chat: int | str) -> bool:
    return str(chat).startswith("-")
