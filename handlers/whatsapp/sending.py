"""Replies on their way to WhatsApp: whether they may go, in which form, and what became of them."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, TypeVar

from bot.errors import ChannelError, ChannelUnavailable, DeliveryUnclear, StorageError
from bot.model.codec import reply_from_json
from bot.model.delivery import Delivery
from bot.model.message import Reply
from bot.model.receipt import Receipt
from bot.model.run import RunKind
from bot.ports.clock import Clock
from bot.ports.stores import Receipts, Runs
from handlers.whatsapp import outgoing, templates
from handlers.whatsapp.directory import Directory, Known
from handlers.whatsapp.graph_api import OUTSIDE_WINDOW, GraphApi, Refusal, ServerFault
from handlers.whatsapp.incoming import CHANNEL, WORKSPACE, carries
from handlers.whatsapp.templates import Templates

T = TypeVar("T")

_RECENTLY = 10 * 60_000
_DECIDING = ("/approve", "/decline", "/rollback")
_WHY_NOT = {
    "": "not opted in: they have to write START to this number first",
    "out": "opted out: they wrote {word} on purpose; only their own START changes that",
    "paused": "paused: they asked for a break, until they write RESUME",
}


class Sending:
    """`patience` is how many seconds a status may take to tell what became of an unclear send."""

    def __init__(
        self,
        api: GraphApi,
        directory: Directory,
        receipts: Receipts,
        runs: Runs,
        clock: Clock,
        forms: Templates,
        log: Any,
        patience: float,
    ) -> None:
        self._api, self._directory, self._receipts = api, directory, receipts
        self._runs, self._clock, self._forms = runs, clock, forms
        self._log, self._patience = log, patience
        self._told: set[tuple[str, str]] = set()
        self._tried: dict[str, tuple[int, bool]] = {}
        """Which message of a delivery is unclear, and whether Meta said itself that it failed."""

    async def send(self, delivery: Delivery) -> Mapping[str, object]:
        reply = reply_from_json(delivery.reply)
        known = await _before_sending(self._directory.find(delivery.address))
        to = outgoing.recipient(known.address if known else delivery.address)
        if delivery.edits is not None:
            return await self._update(delivery, reply, known, to)
        asked = _is_asked(delivery)
        if not asked:
            self._must_have_agreed(known, delivery)
        if not self._is_open(known, asked) or delivery.error.startswith(str(OUTSIDE_WINDOW)):
            return await self._template(delivery, reply, to, asked)
        try:
            return await self._post_all(delivery, outgoing.bodies(reply), to)
        except Refusal as error:
            if error.code != OUTSIDE_WINDOW:
                raise
            self._log.info("whatsapp_window_was_closed", delivery=delivery.id)
            return await self._template(delivery, reply, to, asked=False)

    async def find(self, delivery: Delivery) -> Mapping[str, object] | None:
        """Waits for a status that names the delivery: Meta can't be asked."""
        part, refused = self._tried.pop(delivery.id, (None, False))
        parts = len(outgoing.bodies(reply_from_json(delivery.reply)))
        patience = self._patience / 4 if refused else self._patience
        until = self._clock.monotonic() + patience
        pause = 0.1
        while True:
            found = await _before_sending(self._receipts.of(WORKSPACE, CHANNEL, delivery.id))
            for one in found.values():
                if one.status == "failed":
                    raise ChannelError(one.error)
            if receipt := found.get(templates.PART) or found.get(parts - 1):
                return {"id": receipt.message_id}
            if part is not None and part in found:
                return None  # what is left of it is sent from there on
            if self._clock.monotonic() >= until:
                if refused:
                    return None
                raise DeliveryUnclear("no status told within the time whether it was taken")
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 2.0)

    def _must_have_agreed(self, known: Known | None, delivery: Delivery) -> None:
        """The owner hears of the same person's same refusal once."""
        contact = known.contact if known else None
        if contact and contact.consent == "in":
            return
        word = contact.consent_word.upper() if contact else ""
        why = _WHY_NOT[contact.consent if contact else ""].format(word=word)
        person = known.person if known else str(delivery.address.get("to") or "")[:200]
        error = ChannelError(why)
        error.told = (person, why) in self._told
        self._told.add((person, why))
        raise error

    def _is_open(self, known: Known | None, asked: bool) -> bool:
        """Who asks has just written, even where that is not on record here."""
        return known.open_at(self._clock.now()) if known else asked

    async def _template(
        self, delivery: Delivery, reply: Reply, to: Mapping[str, object], asked: bool
    ) -> Mapping[str, object]:
        body = None if asked else self._forms.body(reply)
        if body is None:
            raise ChannelError(
                "outside the 24 hours after their last message"
                + ("" if asked else ", and no template is set (WHATSAPP_TEMPLATE)")
            )
        shown = await self._shown(delivery)
        if receipt := shown.get(templates.PART):
            return {"id": receipt.message_id}
        return {"id": await self._post(delivery, templates.PART, {**to, **body})}

    async def _update(
        self, delivery: Delivery, reply: Reply, known: Known | None, to: Mapping[str, object]
    ) -> Mapping[str, object]:
        """What was shown stays as it is. Who was asked and didn't decide hears the end of it in
        one line, or sees an edited card anew; nobody is written to for that after 24 hours."""
        card, now = reply.card, self._clock.now()
        agreed = known is not None and known.contact.consent in ("", "in")
        if not agreed or known is None or not known.open_at(now) or card is None:
            return dict(delivery.edits or {})
        if delivery.attempts > 1 and not delivery.error:
            return dict(delivery.edits or {})  # it may have been shown: once too few is better
        if card.status and await self._decided_by(known, card.ref):
            return dict(delivery.edits or {})
        shown = outgoing.news(card) if card.status else outgoing.bodies(reply)
        return await self._post_all(delivery, shown, to)

    async def _decided_by(self, known: Known, ref: str) -> bool:
        conversation, kinds = f"{CHANNEL}:{known.person}", [RunKind.COMMAND.value]
        recent = await _before_sending(
            self._runs.recent(WORKSPACE, conversation=conversation, kinds=kinds, limit=10)
        )
        since = self._clock.now() - _RECENTLY
        said = [run.message.upper().split() for run in recent if run.created_at >= since]
        deciding = tuple(command.upper() for command in _DECIDING)
        return any(
            len(words) > 1 and words[0] in deciding and words[1].lstrip("#P") == ref.lstrip("P")
            for words in said
        )

    async def _post_all(
        self,
        delivery: Delivery,
        bodies: Sequence[Mapping[str, object]],
        to: Mapping[str, object],
    ) -> Mapping[str, object]:
        """Each message once: what is known to be taken is left out."""
        shown = await self._shown(delivery)
        last = ""
        for part, body in enumerate(bodies):
            if receipt := shown.get(part):
                last = receipt.message_id
            else:
                last = await self._post(delivery, part, {**to, **body})
        return {"id": last}

    async def _post(self, delivery: Delivery, part: int, body: Mapping[str, object]) -> str:
        mark = {"biz_opaque_callback_data": carries(delivery.id, part)}
        try:
            sent = await self._api.post({"messaging_product": "whatsapp", **body, **mark})
            receipt = Receipt(sent[:200], delivery.id, part, "accepted", self._clock.now())
            await self._receipts.put(WORKSPACE, CHANNEL, receipt)
        except (DeliveryUnclear, StorageError) as error:
            self._tried[delivery.id] = (part, isinstance(error, ServerFault))
            raise
        return sent

    async def _shown(self, delivery: Delivery) -> dict[int, Receipt]:
        found = await _before_sending(self._receipts.of(WORKSPACE, CHANNEL, delivery.id))
        return {part: one for part, one in found.items() if one.status != "failed"}


async def _before_sending(look: Awaitable[T]) -> T:
    """What can't be looked up before a send is a reason to wait: nothing was shown."""
    try:
        return await look
    except StorageError as error:
        raise ChannelUnavailable(f"storage: {error}") from error


def _is_asked(delivery: Delivery) -> bool:
    """The answer to something they said themselves, or the question about such an answer."""
    return delivery.id in (delivery.run_id, f"ask:{delivery.run_id}"[:80])
