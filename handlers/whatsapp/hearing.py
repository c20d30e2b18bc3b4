"""What came in on WhatsApp: commands to the inbox, consent to the contacts, statuses to receipts."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any

from bot.model.message import Message, Sender
from bot.model.person import Role
from bot.model.receipt import Receipt
from bot.ports.channels import Inbox
from bot.ports.clock import Clock
from bot.ports.stores import Contacts, Receipts, Runs
from handlers.whatsapp.directory import Directory, Known
from handlers.whatsapp.graph_api import OUTSIDE_WINDOW, told
from handlers.whatsapp.incoming import CHANNEL, WORKSPACE, Became, Event, Heard, Moved, Refused
from handlers.whatsapp.templates import PART

Bounced = Callable[[str, str, str, bool], Awaitable[None]]
"""(workspace, delivery id, cause, whether another form of it is worth a try)."""

HELP_EVERY = 300.0
"""Seconds: free words get one answer within them."""
_PEOPLE = 10_000


class Hearing:
    def __init__(
        self,
        inbox: Inbox,
        directory: Directory,
        contacts: Contacts,
        receipts: Receipts,
        runs: Runs,
        bounced: Bounced,
        clock: Clock,
        log: Any,
        has_template: bool,
    ) -> None:
        self._inbox, self._directory, self._contacts = inbox, directory, contacts
        self._receipts, self._runs = receipts, runs
        self._bounced, self._clock = bounced, clock
        self._log, self._has_template = log, has_template
        self._helped: OrderedDict[str, float] = OrderedDict()

    async def hear(self, event: Event) -> None:
        """Returns once it is recorded. Raises StorageError (Meta is to send it again)."""
        if isinstance(event, Heard):
            await self._said(event)
        elif isinstance(event, Became):
            await self._became(event)
        elif isinstance(event, Moved):
            await self._directory.moved(event.before, event.now, self._past(event.at))
        else:
            await self._refused(event)

    async def _said(self, heard: Heard) -> None:
        at = self._past(heard.at)
        known = await self._directory.meet(heard.ids, heard.name, at)
        if not heard.meant.command:
            return await self._free_words(heard, known)
        if heard.meant.consent == "out":
            await self._out(heard, known, at)
        elif heard.meant.consent == "in":
            if not await self._was_taken_back(heard, known, at):
                await self._consent(known, heard, at)
            await self._accept(heard, known, heard.meant.command)
        else:
            await self._accept(heard, known, heard.meant.command)

    async def _out(self, heard: Heard, known: Known, at: int) -> None:
        """A no is heard however late it comes, and confirmed once."""
        if known.contact.consent != "out":
            await self._accept(heard, known, heard.meant.command)
        await self._consent(known, heard, at)

    async def _was_taken_back(self, heard: Heard, known: Known, at: int) -> bool:
        """Whether a yes is an old one, delivered again. Meta's times are whole seconds: of a yes
        and a no within one, only what was heard before tells the order."""
        if known.contact.consent != "out" or (heard.at and known.contact.consent_at < at):
            return False
        return await self._runs.by_event(WORKSPACE, CHANNEL, heard.event_id) is not None

    async def _consent(self, known: Known, heard: Heard, at: int) -> None:
        meant = heard.meant
        await self._contacts.set_consent(
            WORKSPACE, CHANNEL, known.person, meant.consent, at, meant.word
        )
        self._log.info("whatsapp_consent", person=known.person, said=meant.consent, word=meant.word)

    async def _refused(self, refused: Refused) -> None:
        known = None
        for one in refused.ids.all:
            known = known or await self._directory.find({"to": one})
        if known is not None:
            at = self._past(refused.at)
            await self._contacts.set_consent(
                WORKSPACE, CHANNEL, known.person, "out", at, "stop in the app's settings"
            )

    async def _free_words(self, heard: Heard, known: Known) -> None:
        """What they were goes nowhere. After a no they are not answered at all."""
        now = self._clock.monotonic()
        if known.contact.consent == "out" or self._helped.get(known.person, -HELP_EVERY) > (
            now - HELP_EVERY
        ):
            return
        await self._accept(heard, known, "/help")
        self._helped[known.person] = now
        self._helped.move_to_end(known.person)
        if len(self._helped) > _PEOPLE:
            self._helped.popitem(last=False)

    async def _accept(self, heard: Heard, known: Known, command: str) -> None:
        await self._inbox.accept(
            Message(
                workspace=WORKSPACE,
                channel=CHANNEL,
                event_id=heard.event_id,
                conversation=f"{CHANNEL}:{known.person}",
                sender=Sender(known.person, heard.name, is_guest=not known.role.may(Role.MEMBER)),
                text=command,
                address=known.address,
                sent_at=heard.at or None,
                is_button=heard.is_button,
                never_expires=bool(heard.meant.consent),
            )
        )

    async def _became(self, became: Became) -> None:
        cause = told(became.code, became.error) if became.status == "failed" else ""
        at, id = self._past(became.at), became.id[:200]
        if became.delivery:
            receipt = Receipt(id, became.delivery, became.part, became.status, at, cause)
            news = await self._receipts.put(WORKSPACE, CHANNEL, receipt)
        else:
            found = await self._receipts.advance(WORKSPACE, CHANNEL, id, became.status, at, cause)
            if found is None:
                return
            news, receipt = True, found
        if not news:
            return
        self._log.info(
            "whatsapp_status", delivery=receipt.delivery, status=became.status, cause=cause
        )
        if became.status == "failed":
            closed = became.code == OUTSIDE_WINDOW and receipt.part != PART
            why = f"{became.code}: {cause}" if closed else cause
            again = closed and self._has_template
            await self._bounced(WORKSPACE, receipt.delivery, why, again)

    def _past(self, at: int) -> int:
        """Meta's clock may be ahead of ours: nothing was said in the future."""
        now = self._clock.now()
        return min(at or now, now)
