"""Pressed buttons: each press is answered on the screen it was made on, whatever comes of it."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from typing import Any

from bot.errors import ChannelError, RatchetError
from bot.model.codec import reply_from_json
from bot.model.message import Button, Reply
from bot.model.run import CLOSED, RunStatus
from bot.ports.channels import Inbox
from handlers.telegram import outgoing
from handlers.telegram.bot_api import BotApi
from handlers.telegram.incoming import WORKSPACE, Asking, Me
from handlers.telegram.markup import to_html
from handlers.telegram.outgoing import Part
from handlers.telegram.patience import patiently
from handlers.telegram.place import Place

Cards = Callable[[str, Collection[str]], Awaitable[Sequence[Reply]]]
"""(workspace, refs) → the undecided proposals' cards and those of the refs."""
May = Callable[[str, str], Awaitable[bool]]
"""(platform's id of a person, command) → whether their role allows the command."""

_PATIENCE = 2.5
"""Seconds a pressed button may wait for its outcome; Telegram shows a clock meanwhile."""
_TOAST = 200
_REFUSED = {RunStatus.REFUSED, RunStatus.FAILED, RunStatus.EXPIRED}
_DEAD = "This button no longer works. /proposals shows what waits for a decision."
_EDITED = "It was edited meanwhile. Look at the card once more, then press again."
_NOT_YOURS = "Only someone who may decide can do that. An owner can give you the role with /role."


class Presses:
    """What is answered here is a courtesy: the reply itself follows as a message."""

    def __init__(self, api: BotApi, inbox: Inbox, log: Any, cards: Cards | None, may: May | None):
        self._api, self._inbox, self._log = api, inbox, log
        self._cards, self._may = cards, may

    async def outcome(self, press_id: str, run_id: str) -> None:
        """Says what the press led to, where that is known soon."""
        text, alert = "", False
        try:
            run = await self._inbox.wait(WORKSPACE, run_id, _PATIENCE)
            if run.status in CLOSED and run.reply:
                text = toast(reply_from_json(run.reply))
                alert = run.status in _REFUSED
        except RatchetError as error:
            self._log.info("telegram_outcome_unknown", run_id=run_id, cause=str(error))
        await self._answer(press_id, text, alert)

    async def nothing(self, press_id: str, *, dead: bool) -> None:
        await self._answer(press_id, _DEAD if dead else "", dead)

    async def ask(self, asking: Asking, me: Me, press_id: str) -> None:
        """Asks for the button's words, unless nothing could come of it."""
        card, button = await self._asked_about(asking)
        if card and card.card and card.card.status:
            refusal = f"{card.card.ref}: {card.card.status}"
            return await self._answer(press_id, _cut(refusal), True)
        if card and button is None and _still_offers(card, asking.command):
            return await self._answer(press_id, _EDITED, True)
        if self._may and not await self._may(str(asking.user), asking.command):
            return await self._answer(press_id, _NOT_YOURS, True)
        await self._answer(press_id, "", False)
        seal = me.seal(_chat(asking.place), asking.command)
        to = outgoing.named(asking.user, asking.name) if asking.name else ""
        *before, last = outgoing.prompt(
            asking.command,
            asking.label,
            seal,
            question=(button.asks if button else None) or "",
            value=button.value if button else "",
            to=to,
        )
        try:
            for html in before:
                await patiently(partial(self._api.show, asking.place, Part(html)), harmless=True)
            await patiently(partial(self._api.ask, asking.place, last), harmless=True)
        except ChannelError as error:
            self._log.info("telegram_not_asked", command=asking.command, cause=str(error))

    async def _asked_about(self, asking: Asking) -> tuple[Reply | None, Button | None]:
        """The card as it is now, and its button that was pressed."""
        # "P12", or "P12.3" once it was edited three times
        ref = asking.command.rpartition(" ")[2].partition(".")[0]
        if self._cards is None:
            return None, None
        try:
            cards = await self._cards(WORKSPACE, [ref])
        except RatchetError as error:
            self._log.info("telegram_card_unknown", ref=ref, cause=str(error))
            return None, None
        card = next((c for c in cards if c.card and c.card.ref == ref), None)
        buttons = card.buttons if card else ()
        return card, next((b for b in buttons if b.command == asking.command), None)

    async def _answer(self, press_id: str, text: str, alert: bool) -> None:
        try:
            await patiently(partial(self._api.answer, press_id, text, alert), harmless=True)
        except ChannelError as error:
            self._log.info("telegram_press_not_answered", cause=str(error))


def _still_offers(card: Reply, command: str) -> bool:
    """Whether the card has this button, for other words than those the press was about."""
    verb = command.partition(" ")[0]
    return any(button.command.partition(" ")[0] == verb for button in card.buttons)


def toast(reply: Reply) -> str:
    """The reply's words, as far as they fit."""
    said = reply.text or (reply.card.title if reply.card else "")
    return _cut(" ".join(outgoing.plain(to_html(said)).split()))


def _cut(text: str) -> str:
    while outgoing.units(text) > _TOAST:
        text = f"{text[: min(len(text) - 2, _TOAST - 1)]}…"
    return text


def _chat(place: Place) -> int:
    return int(place.chat_id)
