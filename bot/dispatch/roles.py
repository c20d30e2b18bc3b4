"""Who a message is from, and what they may do: settings, the first local person, a claim."""

from dataclasses import replace

from bot.config import Settings
from bot.model.message import Message
from bot.model.person import Person, Role
from bot.ports.stores import People

_LOCAL = ("local", "owner")
_KEY_HOLDER = ("api", "api")
"""Whoever holds the API key and names nobody else: the key is the owner's."""


class Roles:
    """Resolves senders to people. The person at this machine is one person in every local
    channel, and its owner. The settings name people of the workspace `home`."""

    def __init__(self, people: People, settings: Settings, home: str) -> None:
        self._people, self._home = people, home
        self._named = {
            **dict.fromkeys(settings.listed(settings.approvers), Role.APPROVER),
            **dict.fromkeys(settings.listed(settings.owners), Role.OWNER),
        }

    async def meet(self) -> None:
        """Makes those that the settings name known before they write: they may decide, so they
        count and are asked."""
        for identity, role in self._named.items():
            channel, _, external_id = identity.partition(":")
            person = await self._people.resolve(self._home, channel, external_id, "", role)
            if not person.role.may(role):
                await self._people.set_role(self._home, person.id, role)

    async def person_of(self, message: Message) -> Person:
        sender = message.sender
        if sender.trusted_local or (message.channel, sender.external_id) == _KEY_HOLDER:
            channel, external = _LOCAL
            return await self._people.resolve(
                message.workspace, channel, external, sender.name or "owner", Role.OWNER
            )
        named = self._named.get(f"{message.channel}:{sender.external_id}")
        if message.workspace != self._home:
            named = None
        default = named or (Role.GUEST if sender.is_guest else Role.MEMBER)
        person = await self._people.resolve(
            message.workspace, message.channel, sender.external_id, sender.name, default
        )
        if named and not person.role.may(named):
            await self._people.set_role(message.workspace, person.id, named)
            person = replace(person, role=named)
        return person
