"""One WhatsApp business number: digests, decisions and fixed commands over the Graph API."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import structlog

from bot.errors import ChannelError
from bot.kit import ChannelKit, plain
from bot.model.delivery import Delivery
from bot.model.file import FileRef
from bot.model.run import Run
from bot.ports.channels import Inbox, Route
from bot.ports.clock import Clock
from bot.ports.stores import Contacts, People, Receipts, Runs
from handlers.whatsapp.directory import Directory
from handlers.whatsapp.graph_api import GraphApi
from handlers.whatsapp.hearing import Bounced, Hearing
from handlers.whatsapp.sending import Sending
from handlers.whatsapp.templates import Templates
from handlers.whatsapp.webhook import PATH, Webhook


class WhatsAppChannel:
    """`named` holds the person ids that the settings name (owners, approvers). `patience` is how
    many seconds a status is waited for where a send's answer was lost."""

    name = "whatsapp"
    push = True

    def __init__(
        self,
        *,
        token: str,
        graph_url: str,
        phone_id: str,
        app_secret: str | None,
        verify_token: str | None,
        inbox: Inbox,
        people: People,
        contacts: Contacts,
        receipts: Receipts,
        runs: Runs,
        bounced: Bounced,
        clock: Clock,
        log: Any,
        patience: float,
        named: Collection[str] = (),
        templates: Templates | None = None,
    ) -> None:
        forms = templates or Templates()
        self._log = log
        self._missing = [
            name
            for name, value in (
                ("WHATSAPP_PHONE_ID", phone_id),
                ("WHATSAPP_APP_SECRET", app_secret),
                ("WHATSAPP_VERIFY_TOKEN", verify_token),
            )
            if not value
        ]
        self._api = GraphApi(token, graph_url, phone_id)
        directory = Directory(contacts, people, named, log)
        self._sending = Sending(self._api, directory, receipts, runs, clock, forms, log, patience)
        hearing = Hearing(
            inbox, directory, contacts, receipts, runs, bounced, clock, log, bool(forms.digest)
        )
        self._webhook = Webhook(phone_id, app_secret, verify_token, hearing.hear, log)

    @property
    def summary(self) -> str:
        return f"webhook at {PATH}"

    def routes(self) -> Sequence[Route]:
        return self._webhook.routes()

    async def start(self) -> None:
        if self._missing:
            self._log.warning("whatsapp_incomplete", missing=", ".join(self._missing))

    async def stop(self) -> None:
        await self._api.close()

    def follow(self, run: Run) -> None:
        """No agent answers here."""

    async def fetch(self, workspace: str, file: FileRef, limit: int) -> bytes:
        raise ChannelError("whatsapp holds no files", said="I can't open files from here.")

    async def send(self, delivery: Delivery) -> Mapping[str, object]:
        return await self._sending.send(delivery)

    async def find(self, delivery: Delivery) -> Mapping[str, object] | None:
        return await self._sending.find(delivery)


def make(kit: ChannelKit) -> WhatsAppChannel:
    settings, services = kit.settings, kit.services
    return WhatsAppChannel(
        token=plain(settings.whatsapp_token) or "",
        graph_url=settings.whatsapp_graph_url,
        phone_id=settings.whatsapp_phone_id,
        app_secret=plain(settings.whatsapp_app_secret),
        verify_token=plain(settings.whatsapp_verify_token),
        inbox=services.inbox,
        people=services.people,
        contacts=services.contacts,
        receipts=kit.receipts,
        runs=services.runs,
        bounced=kit.bounced,
        clock=services.clock,
        log=structlog.get_logger("whatsapp"),
        named=kit.named_on("whatsapp"),
        templates=Templates(
            settings.whatsapp_template,
            settings.whatsapp_template_approval,
            settings.whatsapp_template_language,
        ),
        patience=settings.whatsapp_status_seconds,
    )
