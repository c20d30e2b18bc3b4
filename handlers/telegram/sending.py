"""Replies on their way to Telegram: part by part, and the look for one that may have arrived."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.errors import ChannelUnavailable, DeliveryUnclear
from bot.model.codec import reply_from_json
from bot.model.delivery import Delivery
from bot.model.message import Reply
from bot.ports.clock import Clock
from handlers.telegram.bot_api import BotApi, Place, Seen, Unreachable
from handlers.telegram.outgoing import Part, parts

_REMEMBERED = 2000
_LOOKS = 8
_LOOKING = "I was interrupted and am looking at what you already have from me."
_GREET_FIRST = (
    "That answer is for you alone. Please open a private chat with me, press Start, and ask again."
)


class Sending:
    """Knows, while the process lives, which parts of a delivery are shown already."""

    def __init__(self, api: BotApi, clock: Clock, me: int) -> None:
        self._api, self._clock, self._me = api, clock, me
        self._quiet_until = 0.0
        self._progress: OrderedDict[str, list[Mapping[str, object]]] = OrderedDict()
        self._runs: OrderedDict[tuple[object, object], str] = OrderedDict()

    def place_of(self, address: Mapping[str, object]) -> Place:
        """`chat_id` may be a number or its text, as settings have it."""
        chat = address.get("chat_id")
        thread, reply_to = address.get("thread_id"), address.get("reply_to")
        return Place(
            chat if isinstance(chat, int) else str(chat),
            thread if isinstance(thread, int) else None,
            reply_to if isinstance(reply_to, int) else None,
        )

    def run_shown_at(self, ref: Mapping[str, object]) -> str | None:
        return self._runs.get((ref["chat_id"], ref["message_id"]))

    async def send(self, delivery: Delivery) -> Mapping[str, object]:
        rest = self._quiet_until - self._clock.monotonic()
        if rest > 0:
            raise ChannelUnavailable("Telegram asked for a pause", retry_after=rest)
        reply = reply_from_json(delivery.reply)
        try:
            ref = await self._send(delivery, reply)
        except ChannelUnavailable as error:
            self._quiet_until = self._clock.monotonic() + (error.retry_after or 0)
            raise
        self._progress.pop(delivery.id, None)
        _keep(self._runs, (ref["chat_id"], ref["message_id"]), reply.run_id)
        return ref

    async def _send(self, delivery: Delivery, reply: Reply) -> Mapping[str, object]:
        if delivery.edits is not None:
            await self._api.change(delivery.edits, parts(reply)[-1])
            return delivery.edits
        place = self._place(delivery, reply)
        try:
            return await self._show(delivery.id, place, parts(reply))
        except Unreachable:
            if not _goes_aside(delivery, reply):
                raise
        # The person never greeted the bot, and the group must not read it instead
        return await self._api.show(self.place_of(delivery.address), Part(_GREET_FIRST))

    async def _show(
        self, delivery_id: str, place: Place, shown: tuple[Part, ...]
    ) -> Mapping[str, object]:
        done = self._progress.get(delivery_id, [])
        for part in shown[len(done) :]:
            at = place if not done else replace(place, reply_to=None)
            done = [*done, await self._api.show(at, part)]
            _keep(self._progress, delivery_id, done)
        return done[-1]

    def _place(self, delivery: Delivery, reply: Reply) -> Place:
        if _goes_aside(delivery, reply):
            return Place(str(delivery.address["user_id"]))
        return self.place_of(delivery.address)

    async def find(self, delivery: Delivery) -> Mapping[str, object] | None:
        """Message ids rise, and a message sent as a reply shows what it quotes: a silent notice,
        taken back at once, tells the newest id and lets each message since the question be
        looked at without a change to it."""
        if delivery.edits is not None:
            return None  # to say the same again in place does no harm
        try:
            return await self._find(delivery)
        except ChannelUnavailable:
            raise
        except DeliveryUnclear as error:
            if isinstance(error, _CantTell):
                raise
            raise ChannelUnavailable(f"the look failed: {error}") from error

    async def _find(self, delivery: Delivery) -> Mapping[str, object] | None:
        reply = reply_from_json(delivery.reply)
        place = self._place(delivery, reply)
        after = None if _goes_aside(delivery, reply) else delivery.address.get("after")
        first = after + 1 if isinstance(after, int) else 0
        newest, quoted = await self._api.peek(replace(place, reply_to=first or None), _LOOKING)
        start = max(first, newest - _LOOKS, 1)
        seen = [quoted] if start == first < newest else []
        for message_id in range(start + len(seen), newest):
            at = replace(place, reply_to=message_id)
            seen.append((await self._api.peek(at, _LOOKING))[1])
        ref = self._recognise(delivery, parts(reply), place, seen)
        if ref is None and start != first:
            raise _CantTell(f"{newest} is the newest message, and only {_LOOKS} were looked at")
        return ref

    def _recognise(
        self,
        delivery: Delivery,
        expected: tuple[Part, ...],
        place: Place,
        seen: list[Seen | None],
    ) -> Mapping[str, object] | None:
        """The last part's reference; remembers how many parts there are where it is missing."""
        done: list[Mapping[str, object]] = []
        for message in filter(None, seen):
            ref = {"chat_id": _number(place.chat_id), "message_id": message.message_id}
            if self._is(message, expected[-1]):
                return ref
            if len(done) < len(expected) and self._is(message, expected[len(done)]):
                done.append(ref)
        _keep(self._progress, delivery.id, done)
        return None

    def _is(self, seen: Seen, part: Part) -> bool:
        data = tuple(data for row in part.keyboard for _, data in row)
        same_keys = seen.data is None or seen.data == data
        return seen.author == self._me and same_keys and _words(seen.text) == _words(part.plain)


class _CantTell(DeliveryUnclear):
    """The platform was asked, and can't say."""


def _goes_aside(delivery: Delivery, reply: Reply) -> bool:
    """Whether it goes to the person's own chat and not to the group that it was asked in."""
    chat, user = delivery.address.get("chat_id"), delivery.address.get("user_id")
    return reply.private and user is not None and str(chat) != str(user)


def _number(chat_id: int | str) -> int | str:
    text = str(chat_id)
    return int(text) if text.lstrip("-").isdigit() else chat_id


def _words(text: str) -> list[str]:
    return text.split()


def _keep(memory: "OrderedDict[Any, Any]", key: object, value: object) -> None:
    memory[key] = value
    if len(memory) > _REMEMBERED:
        memory.popitem(last=False)
