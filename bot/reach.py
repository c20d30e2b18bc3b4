"""Who is asked and told where: the words of a policy as places that can be written to now."""

from collections.abc import AsyncIterator, Callable

from bot.config import Settings
from bot.model.contact import Contact
from bot.model.person import Role
from bot.places import ADDRESS_KEY, Place, Reached, named, own_chat
from bot.ports.stores import Contacts, Installations, People

_ROLES = {"approvers": Role.APPROVER, "owners": Role.OWNER}


class Reach:
    """The settings speak for the workspace `home` only: another one's places are its own, and
    nothing of it leaves for the platforms that belong to `home`."""

    def __init__(
        self,
        settings: Settings,
        home: str,
        people: People,
        contacts: Contacts,
        active: Callable[[str], bool],
        installations: Installations,
    ) -> None:
        self._settings, self._home, self._people = settings, home, people
        self._contacts, self._active, self._installations = contacts, active, installations

    async def places(self, workspace: str, where: str, near: Place | None = None) -> Reached:
        """`where` as `bot.model.policy.AskStep` has it; `near` is where it was asked for."""
        opened: dict[tuple[str, str], Place] = {}
        shut = 0
        async for place, invited in self._meant(workspace, where, near):
            if not self._may_use(workspace, place.channel):
                continue
            contact = await self._contacts.get(workspace, place.channel, place.name)
            if contact and contact.address.get("moved"):
                continue
            if _is_shut(contact, place, invited):
                shut += 1
            else:
                opened.setdefault((place.channel, place.name), _newest(place, contact))
        return Reached(tuple(opened.values()), shut)

    async def admins(self, workspace: str) -> tuple[Place, ...]:
        """Where warnings go: the admin channel, or else the first owner who can be written to."""
        found = await self.places(workspace, "admin")
        return found.open or (await self.places(workspace, "owners")).open[:1]

    async def _meant(
        self, workspace: str, where: str, near: Place | None
    ) -> AsyncIterator[tuple[Place, bool]]:
        """Each with whether it was chosen by name, by whoever runs this."""
        role, _, platform = where.partition("@")
        if where == "thread":
            if near:
                yield near, True
        elif where == "admin":
            async for place in self._admin(workspace):
                yield place, True
        elif role in _ROLES:
            for channel in (platform,) if platform else tuple(ADDRESS_KEY):
                addresses = await self._people.addresses(workspace, channel, _ROLES[role])
                for _, external_id in addresses:
                    yield own_chat(channel, external_id), False
        elif by_name := named(where):
            yield by_name, True

    async def _admin(self, workspace: str) -> AsyncIterator[Place]:
        if workspace != self._home:
            found = await self._installations.get(workspace)
            if found and found.installed_by and not found.removed_at:
                yield own_chat(found.channel, found.installed_by)
            return
        for where in self._settings.listed(self._settings.admin_channel):
            if place := named(where):
                yield place

    def _may_use(self, workspace: str, channel: str) -> bool:
        ours = workspace == self._home or workspace.startswith(f"{channel}:")
        return ours and self._active(channel)


def _is_shut(contact: Contact | None, place: Place, invited: bool) -> bool:
    """On WhatsApp only those are written to unasked who said that they want it."""
    if contact and (contact.disabled_at or contact.consent in ("out", "paused")):
        return True
    wanted = contact is not None and contact.consent == "in"
    return place.channel == "whatsapp" and not invited and not wanted


def _newest(place: Place, contact: Contact | None) -> Place:
    if place.channel == "whatsapp" and contact and contact.address:
        return own_chat(place.channel, place.name, contact.address)
    return place
