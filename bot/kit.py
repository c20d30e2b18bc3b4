"""What a channel is made from: everything a folder in handlers/ may need, handed over at once."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from pydantic import SecretStr

from bot.command import CommandTable
from bot.config import Settings
from bot.model.message import Message, Reply
from bot.model.person import Person
from bot.ports.channels import Route
from bot.ports.outbox import Drafts
from bot.ports.stores import Receipts
from bot.services import Services


@dataclass(frozen=True, slots=True)
class ChannelKit:
    """`routes` are those of the channels made before. `run_of` finds the run that a shown message
    answers, by (workspace, channel, the platform's reference). `cards` are a workspace's undecided
    proposals and those of the given refs, as they stand. `ready` says whether messages are taken.
    `drafts` remembers where answers that still grow are shown; `redact` is applied to them.
    `receipts` keeps what the platform says about messages it took. `bounced` takes (workspace,
    delivery id, cause, whether another form of it may work) where it did not deliver one of them.
    `person_of` says who a message is from. `shown` is the reply that a delivery shows, by
    (workspace, delivery id).
    """

    services: Services
    table: CommandTable
    workspace: str
    api_key: str
    routes: Sequence[Route]
    ready: Callable[[], bool]
    run_of: Callable[[str, str, Mapping[str, object]], Awaitable[str | None]]
    cards: Callable[[str, Collection[str]], Awaitable[Sequence[Reply]]]
    drafts: Drafts
    redact: Callable[[str], str]
    receipts: Receipts
    bounced: Callable[[str, str, str, bool], Awaitable[None]]
    person_of: Callable[[Message], Awaitable[Person]]
    shown: Callable[[str, str], Awaitable[Reply | None]]

    @property
    def settings(self) -> Settings:
        return self.services.settings

    def menu(self) -> list[tuple[str, str]]:
        """(name, help) of the commands that are shown."""
        return [(c.name, c.help) for c in self.table.commands if not c.hidden]

    def names(self) -> list[str]:
        """Every command's name and aliases."""
        return [name for c in self.table.commands for name in (c.name, *c.aliases)]

    def named_on(self, channel: str) -> list[str]:
        """The platform's ids of the owners and approvers that the settings name."""
        settings = self.settings
        named = (*settings.listed(settings.owners), *settings.listed(settings.approvers))
        return [name for where, _, name in (n.partition(":") for n in named) if where == channel]


def plain(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


@dataclass(frozen=True, slots=True)
class ChannelEntry:
    """`module` has `make(kit) -> Channel` and is imported only where `on` says so."""

    module: str
    on: Callable[[Settings], bool]
