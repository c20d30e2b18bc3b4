"""Who is who on WhatsApp: one person under a number and a business-scoped id, and what they allow."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.model.contact import Contact
from bot.model.person import Role
from bot.ports.stores import Contacts, People
from handlers.whatsapp.incoming import CHANNEL, WORKSPACE, Ids

WINDOW = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Known:
    """A person by the id that the rest of Ratchet knows them by. `role` is theirs by now."""

    person: str
    contact: Contact
    role: Role = Role.GUEST

    @property
    def ids(self) -> Ids:
        address = self.contact.address
        return Ids(str(address.get("wa_id") or ""), str(address.get("user_id") or ""))

    @property
    def address(self) -> dict[str, object]:
        ids = self.ids
        return {
            "to": ids.wa_id or ids.user_id or self.person,
            "wa_id": ids.wa_id,
            "user_id": ids.user_id,
            "person": self.person,
        }

    def open_at(self, now: int) -> bool:
        """Whether they wrote within the last 24 hours."""
        return self.contact.heard_at > 0 and now - self.contact.heard_at < WINDOW


class Directory:
    """Every id of a person has a contact; all point at the one that consent is kept with.

    `named` holds the ids that the settings give a role: where a person has one of them, that is
    what they are known by.
    """

    def __init__(
        self, contacts: Contacts, people: People, named: Collection[str], log: Any
    ) -> None:
        self._contacts, self._people = contacts, people
        self._named, self._log = frozenset(named), log

    async def find(self, address: Mapping[str, object]) -> Known | None:
        """Whom an address reaches, also where it has grown old; `person` tells two apart who have
        had the same number."""
        ids = [address.get(key) for key in ("person", "user_id", "wa_id", "to")]
        for one in dict.fromkeys(str(one).lstrip("+") for one in ids if one):
            if (known := await self._by(one)) is not None:
                return known
        return None

    async def meet(self, ids: Ids, name: str, at: int) -> Known:
        """Notes that they wrote at this ms; the person is met for the first time where needed."""
        rows = {one: await self._row(one) for one in ids.all}
        person = self._choose(ids, rows)
        before = await self._before(person, ids, rows)
        ids = _completed(ids, before)
        await self._write(person, ids, at)
        if before is not None and before.external_id != person:
            same = await self._people.resolve(
                WORKSPACE, CHANNEL, before.external_id, name, Role.GUEST
            )
            await self._people.link(WORKSPACE, CHANNEL, person, same.id)
            await self._carry(before, person)
        met = await self._people.resolve(WORKSPACE, CHANNEL, person, name, Role.GUEST)
        contact = await self._row(person) or Contact(WORKSPACE, CHANNEL, person)
        role = Role.APPROVER if person in self._named else met.role
        return Known(person, contact, role)

    async def moved(self, before: Ids, now: Ids, at: int) -> None:
        """The person stays who they are, under their new ids; nothing of it goes to whoever gets
        the old number next."""
        known = next(filter(None, [await self._by(one, moved=False) for one in before.all]), None)
        if known is None or set(now.all) <= set(before.all):
            return
        gone = [one for one in (*before.all, *known.ids.all) if one not in now.all]
        if now.user_id == "" and known.ids.user_id not in gone:
            now = replace(now, user_id=known.ids.user_id)
        if now.wa_id == "" and known.ids.wa_id not in gone:
            now = replace(now, wa_id=known.ids.wa_id)
        person = known.person
        if person in gone:
            person = now.user_id or now.wa_id
            met = await self._people.resolve(WORKSPACE, CHANNEL, known.person, "", Role.GUEST)
            await self._people.link(WORKSPACE, CHANNEL, person, met.id)
        await self._write(person, now, known.contact.heard_at)
        if person != known.person:
            await self._carry(known.contact, person)
        for one in set(gone):
            await self._contacts.heard(WORKSPACE, CHANNEL, one, 0, {"moved": person})
            if one in self._named:
                self._log.warning("whatsapp_id_in_settings_is_old", old=one, now=person)

    async def _by(self, one: str, moved: bool = True) -> Known | None:
        for _ in range(4):
            row = await self._row(one)
            if row is None:
                return None
            after = str(row.address.get("moved") or "")
            if after and not moved:
                return None
            if not after and (person := _person(row)) == one:
                return Known(person, row)
            one = after or _person(row)
        return None

    def _choose(self, ids: Ids, rows: Mapping[str, Contact | None]) -> str:
        usable = [one for one in ids.all if not _is_moved(rows[one])]
        if named := [one for one in usable if one in self._named]:
            return named[0]
        for one in usable:
            row = rows[one]
            if row is not None and _is_of(row, ids):
                return _person(row)
        # An id that its person has left is someone else's now.
        return usable[0] if usable else f"{ids.all[0]}~new"

    async def _before(
        self, person: str, ids: Ids, rows: Mapping[str, Contact | None]
    ) -> Contact | None:
        """Where their consent is kept so far."""
        for row in rows.values():
            if row is not None and not _is_moved(row) and _is_of(row, ids):
                return await self._row(_person(row)) or row
        return await self._row(person)

    async def _write(self, person: str, ids: Ids, at: int) -> None:
        address = {
            "to": ids.wa_id or ids.user_id,
            "wa_id": ids.wa_id,
            "user_id": ids.user_id,
            "person": person,
        }
        for one in dict.fromkeys((*ids.all, person)):
            if person.endswith("~new") and one != person:
                continue
            await self._contacts.heard(WORKSPACE, CHANNEL, one, at, address)

    async def _carry(self, old: Contact, person: str) -> None:
        await self._contacts.heard(
            WORKSPACE, CHANNEL, person, old.heard_at, (await self._address(person))
        )
        if old.consent:
            await self._contacts.set_consent(
                WORKSPACE, CHANNEL, person, old.consent, old.consent_at, old.consent_word
            )

    async def _address(self, person: str) -> Mapping[str, object]:
        row = await self._row(person)
        return row.address if row else {}

    async def _row(self, one: str) -> Contact | None:
        return await self._contacts.get(WORKSPACE, CHANNEL, one)


def _is_moved(row: Contact | None) -> bool:
    return bool(row and row.address.get("moved"))


def _is_of(row: Contact, ids: Ids) -> bool:
    """A number that comes with another business-scoped id belongs to another person."""
    before = str(row.address.get("user_id") or "")
    return not (before and ids.user_id and before != ids.user_id)


def _person(row: Contact) -> str:
    return str(row.address.get("person") or row.external_id)


def _completed(ids: Ids, before: Contact | None) -> Ids:
    """With the id that this message left out, where it is known."""
    if before is None:
        return ids
    wa_id, user_id = (str(before.address.get(key) or "") for key in ("wa_id", "user_id"))
    return Ids(ids.wa_id or wa_id, ids.user_id or user_id)
