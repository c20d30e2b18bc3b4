"""WhatsApp webhook → what happened: sayings, statuses, changed ids; pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import ValidationError

from bot.model.receipt import ReceiptStatus
from handlers.whatsapp import wire
from handlers.whatsapp.words import FREE, Meant, meant, storable

WORKSPACE = "local"
CHANNEL = "whatsapp"
MARK = "ratchet:"
"""Begins what a message of ours carries, and its statuses bring back."""

_NOT_SAID = frozenset({"reaction", "system", "unsupported", "unknown", "errors", "ephemeral"})
_STATUSES: dict[str, ReceiptStatus] = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "played": "read",
    "failed": "failed",
}
_LONGEST_ID = 200


class Malformed(ValueError):
    """Not a webhook of the Graph API."""


@dataclass(frozen=True, slots=True)
class Ids:
    """A person's phone number and business-scoped id; either may be "", never both."""

    wa_id: str
    user_id: str

    @property
    def all(self) -> tuple[str, ...]:
        return tuple(one for one in (self.user_id, self.wa_id) if one)


@dataclass(frozen=True, slots=True)
class Heard:
    """Someone said something. `at` is ms, 0 where Meta does not say. Free words are not kept."""

    event_id: str
    ids: Ids
    name: str
    at: int
    meant: Meant
    is_button: bool = False


@dataclass(frozen=True, slots=True)
class Moved:
    """The same person has other ids from now on."""

    before: Ids
    now: Ids
    at: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Someone pressed WhatsApp's own button against messages of this business."""

    ids: Ids
    at: int


@dataclass(frozen=True, slots=True)
class Became:
    """What became of message `id`. `delivery` and `part` are "" and 0 where it isn't known to be
    ours. `code` is the Graph API's number of the error."""

    id: str
    status: ReceiptStatus
    at: int
    delivery: str = ""
    part: int = 0
    code: int = 0
    error: str = ""


Event = Heard | Moved | Refused | Became


def read(raw: object, phone_id: str) -> list[Event]:
    """What happened on the number `phone_id`, in order. Raises Malformed."""
    try:
        webhook = wire.Webhook.model_validate(raw)
    except ValidationError as error:
        raise Malformed(f"not a webhook: {error.error_count()} faults") from error
    return [
        event
        for entry in wire.each(wire.Entry, webhook.entry)
        for change in wire.each(wire.Change, entry.changes)
        if (value := wire.readable(wire.Value, change.value)) is not None
        if value.metadata.phone_number_id in ("", phone_id)
        for event in _events(change.field, value)
    ]


def _events(field: str, value: wire.Value) -> Iterator[Event]:
    if field == "messages":
        yield from _said(value)
        yield from filter(None, map(_became, wire.each(wire.Status, value.statuses)))
    elif field == "user_id_update":
        for update in wire.each(wire.IdUpdate, value.user_id_update):
            if update.user_id.previous and update.user_id.current:
                yield Moved(
                    Ids("", update.user_id.previous),
                    Ids(update.wa_id, update.user_id.current),
                    wire.ms(update.timestamp),
                )
    elif field == "user_preferences":
        for chosen in wire.each(wire.Preference, value.user_preferences):
            if chosen.value.lower() == "stop" and (chosen.wa_id or chosen.user_id):
                yield Refused(Ids(chosen.wa_id, chosen.user_id), wire.ms(chosen.timestamp))


def _said(value: wire.Value) -> Iterator[Event]:
    contacts = list(wire.each(wire.Contact, value.contacts))
    for said in wire.each(wire.Said, value.messages):
        contact = _contact(contacts, said)
        ids = Ids(said.wa_id or contact.wa_id, said.user_id or contact.user_id)
        if said.type == "system":
            yield from _moved(said, Ids(said.wa_id, said.user_id))
        elif said.id and said.type not in _NOT_SAID and not said.group_id and _usable(ids):
            chosen = said.interactive.button_reply.id or said.interactive.list_reply.id
            pressed = chosen or said.button.payload
            words = pressed or (said.text.body if said.type in ("text", "") else "")
            yield Heard(
                said.id,
                ids,
                storable(contact.profile.name),
                wire.ms(said.timestamp),
                meant(words) if words else FREE,
                is_button=bool(pressed),
            )


def _usable(ids: Ids) -> bool:
    return bool(ids.all) and all(len(one) <= _LONGEST_ID for one in ids.all)


def _moved(said: wire.Said, before: Ids) -> Iterator[Moved]:
    system = said.system
    if system.type.endswith(("changed_number", "changed_user_id")):
        now = Ids(system.wa_id or system.new_wa_id, system.user_id)
        before = Ids(before.wa_id, system.previous_user_id or before.user_id)
        if now.all and before.all:
            yield Moved(before, now, wire.ms(said.timestamp))


def _contact(contacts: list[wire.Contact], said: wire.Said) -> wire.Contact:
    """Whose message it is; a payload with one contact may leave that unsaid."""
    for contact in contacts:
        if (said.user_id and contact.user_id == said.user_id) or (
            said.wa_id and contact.wa_id == said.wa_id
        ):
            return contact
    if len(contacts) == 1:
        only = contacts[0]
        same_number = not (said.wa_id and only.wa_id)
        return only if same_number and not (said.user_id and only.user_id) else wire.Contact()
    return wire.Contact()


def _became(status: wire.Status) -> Became | None:
    known = _STATUSES.get(status.status)
    if known is None or not status.id:
        return None
    delivery, part = _ours(status.biz_opaque_callback_data)
    faults = list(wire.each(wire.Fault, status.errors))
    fault = faults[0] if faults else wire.Fault()
    told = ". ".join(filter(None, (fault.title or fault.message, fault.error_data.details)))
    error = f"{fault.code} {told}".strip() if known == "failed" else ""
    return Became(status.id, known, wire.ms(status.timestamp), delivery, part, fault.code, error)


def _ours(carried: str) -> tuple[str, int]:
    name, _, part = carried.removeprefix(MARK).rpartition("#")
    if not carried.startswith(MARK) or not name or not (part.isascii() and part.isdigit()):
        return "", 0
    return storable(name)[:80], int(part[:4])


def carries(delivery: str, part: int) -> str:
    """What a message carries so that its statuses name their delivery."""
    return f"{MARK}{delivery}#{part}"
