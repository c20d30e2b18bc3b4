"""Replies on their way to Telegram: part by part, in the place of what has grown there."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from bot.errors import ChannelError, ChannelUnavailable, DeliveryUnclear
from bot.model.codec import reply_from_json
from bot.model.delivery import Delivery
from bot.model.file import Attached, StoredFile
from bot.model.message import Reply
from bot.ports.clock import Clock
from handlers.telegram.bot_api import BotApi
from handlers.telegram.finding import CantTell, Finding
from handlers.telegram.live import POSTING, Live
from handlers.telegram.outgoing import Part, parts, sent_file, unsent_file
from handlers.telegram.pauses import Pauses
from handlers.telegram.place import MessageGone, Moved, Place, Unreachable, as_chat
from handlers.telegram.reach import Reach

Content = Callable[[str, str], Awaitable[StoredFile | None]]
"""(workspace, id) → a file of an answer with its bytes, None where it isn't kept any more."""
Ref = Mapping[str, object]

_REMEMBERED = 2000
_UPLOAD = 50_000_000
"""Bytes that a bot may send."""
_GREET_FIRST = (
    "That answer is for you alone. Please open a private chat with me, press Start, and ask again."
)


class Sending:
    """Knows, while the process lives, which parts of a delivery are shown already."""

    def __init__(
        self,
        api: BotApi,
        clock: Clock,
        me: int,
        *,
        pauses: Pauses,
        reach: Reach,
        live: Live,
        content: Content | None = None,
    ) -> None:
        self._api, self._clock, self._pauses = api, clock, pauses
        self._reach, self._live, self._content = reach, live, content
        self._finding = Finding(api, me)
        self._progress: OrderedDict[str, list[Ref]] = OrderedDict()
        self._runs: OrderedDict[tuple[object, object], str] = OrderedDict()
        self._afresh: OrderedDict[str, bool] = OrderedDict()

    def place_of(self, address: Mapping[str, object]) -> Place:
        """`chat_id` may be a number or its text, as settings have it."""
        thread, reply_to = address.get("thread_id"), address.get("reply_to")
        return Place(
            as_chat(address.get("chat_id")),
            thread if isinstance(thread, int) else None,
            reply_to if isinstance(reply_to, int) else None,
        )

    def run_shown_at(self, ref: Ref) -> str | None:
        return self._runs.get((ref["chat_id"], ref["message_id"]))

    async def send(self, delivery: Delivery) -> Ref:
        reply = reply_from_json(delivery.reply)
        if _is_answer(delivery):
            await self._live.settle(delivery.run_id)
        place = await self._place(delivery, reply)
        if rest := self._pauses.rest(place.chat_id):
            raise ChannelUnavailable("Telegram asked for a pause", retry_after=rest)
        try:
            ref = await self._send(delivery, reply, place)
        except ChannelUnavailable as error:
            if error.retry_after:
                self._pauses.throttled(place.chat_id, error.retry_after)
            raise
        self._progress.pop(delivery.id, None)
        _keep(self._runs, (ref["chat_id"], ref["message_id"]), reply.run_id)
        return ref

    async def find(self, delivery: Delivery) -> Ref | None:
        """After an unclear send. To say the same again in place does no harm: then None."""
        if delivery.edits is not None:
            return None
        reply = reply_from_json(delivery.reply)
        place, shown = await self._place(delivery, reply), _shown(delivery, reply)
        grown = await self._grown(delivery, reply)
        if grown and POSTING not in grown and len(shown) == 1:
            return None
        aside = _goes_aside(delivery, reply)
        after = None if aside else delivery.address.get("after")
        try:
            found = await self._finding.look(place, shown, after, _last_text(shown))
        except Unreachable as error:
            raise await self._reach.lost(place.chat_id, error) from error
        except Moved as moved:
            await self._reach.moved(place.chat_id, moved.chat_id)
            raise CantTell("the group has moved meanwhile") from moved
        _keep(self._progress, delivery.id, found.done)
        return found.ref

    async def _send(self, delivery: Delivery, reply: Reply, place: Place) -> Ref:
        shown = _shown(delivery, reply)
        try:
            await self._reach.check(place.chat_id)
            if delivery.edits is not None:
                return await self._edit(delivery.edits, shown[_last_text(shown)], place)
            await self._settle_grown(delivery, reply, place, shown)
            return await self._show(delivery, place, shown)
        except Unreachable as error:
            lost = await self._reach.lost(place.chat_id, error)
            if delivery.edits is not None or not _goes_aside(delivery, reply):
                raise lost from error
        # The person never greeted the bot, and the group must not read it instead
        return await self._say(self.place_of(delivery.address), Part(_GREET_FIRST))

    async def _edit(self, ref: Ref, part: Part, place: Place) -> Ref:
        if isinstance(place.chat_id, int) and place.chat_id != ref["chat_id"]:
            return await self._say(replace(place, reply_to=None), part)  # the group has moved
        self._pauses.spoke(place.chat_id)
        try:
            await self._api.change(ref, part)
        except Moved as moved:
            await self._reach.moved(place.chat_id, moved.chat_id)
            return await self._say(Place(moved.chat_id), part)
        return ref

    async def _settle_grown(
        self, delivery: Delivery, reply: Reply, place: Place, shown: tuple[Part, ...]
    ) -> None:
        """Makes the message that has grown the answer's first part."""
        grown = await self._grown(delivery, reply)
        if not grown or self._progress.get(delivery.id):
            return
        if POSTING in grown:
            grown = await self._finding.posted(
                place, str(grown[POSTING]), delivery.address.get("after")
            )
        if not grown or str(grown["chat_id"]) != str(place.chat_id):
            return
        if shown[0].photo is not None or shown[0].file is not None:
            return await self._api.drop(grown)
        self._pauses.spoke(place.chat_id)
        try:
            await self._api.change(grown, shown[0])
            _keep(self._progress, delivery.id, [grown])
        except MessageGone:
            _keep(self._afresh, delivery.id, True)

    async def _grown(self, delivery: Delivery, reply: Reply) -> Ref | None:
        aside = _goes_aside(delivery, reply)
        if not _is_answer(delivery) or aside or delivery.id in self._afresh:
            return None
        return await self._live.shown_at(delivery.workspace, delivery.run_id)

    async def _show(self, delivery: Delivery, place: Place, shown: tuple[Part, ...]) -> Ref:
        """The reference of the last part with words: it has the keyboard."""
        done = self._progress.get(delivery.id, [])
        for part in shown[len(done) :]:
            at = place if not done else replace(place, reply_to=None)
            ref = await (self._hand(delivery, at, part.file) if part.file else self._say(at, part))
            done = [*done, ref]
            _keep(self._progress, delivery.id, done)
        return done[_last_text(shown)]

    async def _say(self, place: Place, part: Part) -> Ref:
        self._pauses.spoke(place.chat_id)
        try:
            return await self._api.show(place, part)
        except Moved as moved:
            await self._reach.moved(place.chat_id, moved.chat_id)
            return await self._api.show(Place(moved.chat_id), part)
        except (ChannelUnavailable, DeliveryUnclear, Unreachable):
            raise
        except ChannelError as error:
            if place.thread_id and "thread not found" in str(error).lower():
                return await self._say(Place(place.chat_id), part)  # its topic was deleted
            if part.photo is not None:  # a picture that Telegram refuses must not hide the words
                return await self._say(place, replace(part, photo=None))
            raise

    async def _hand(self, delivery: Delivery, place: Place, attached: Attached) -> Ref:
        """The file, or words in its place where it can't be sent."""
        kept = await self._content(delivery.workspace, attached.id) if self._content else None
        if kept is None:
            return await self._say(place, unsent_file(attached, "it isn't kept any more."))
        if len(kept.content) > _UPLOAD:
            return await self._say(place, unsent_file(attached, "too large for Telegram."))
        self._pauses.spoke(place.chat_id)
        try:
            return await self._api.hand(place, attached.name, kept.content)
        except (ChannelUnavailable, DeliveryUnclear, Unreachable):
            raise
        except ChannelError:
            return await self._say(place, unsent_file(attached, "Telegram didn't take it."))

    async def _place(self, delivery: Delivery, reply: Reply) -> Place:
        if _goes_aside(delivery, reply):
            return Place(as_chat(delivery.address["user_id"]))
        place = self.place_of(delivery.address)
        now_at = await self._reach.now_at(place.chat_id)
        # Topics and message numbers are those of the group as it was
        return place if now_at == place.chat_id else Place(now_at)


def _shown(delivery: Delivery, reply: Reply) -> tuple[Part, ...]:
    whole = bool(delivery.address.get("whole"))
    return (*parts(reply, whole=whole), *map(sent_file, reply.files))


def _last_text(shown: tuple[Part, ...]) -> int:
    return sum(1 for part in shown if part.file is None) - 1


def _is_answer(delivery: Delivery) -> bool:
    """Whether it ends a run, and not one of the messages that may follow about it."""
    return bool(delivery.run_id) and delivery.id == delivery.run_id and delivery.edits is None


def _goes_aside(delivery: Delivery, reply: Reply) -> bool:
    """Whether it goes to the person's own chat and not to the group that it was asked in."""
    chat, user = delivery.address.get("chat_id"), delivery.address.get("user_id")
    return reply.private and user is not None and str(chat) != str(user)


def _keep(memory: "OrderedDict[Any, Any]", key: object, value: object) -> None:
    memory[key] = value
    if len(memory) > _REMEMBERED:
        memory.popitem(last=False)
