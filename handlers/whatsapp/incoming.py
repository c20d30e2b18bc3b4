"""WhatsApp webhook → Messages; pure. Only fixed commands and buttons get through.

WhatsApp's terms forbid assistants there and learning from what is said there: free words become
/help and are never recorded.
"""

import re
from collections.abc import Collection, Iterator

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.model.message import Message, Sender

WORKSPACE = "local"
CHANNEL = "whatsapp"
WORKS_HERE = (
    "help",
    "proposals",
    "approve",
    "decline",
    "rollback",
    "metrics",
    "runs",
    "budget",
    "jobs",
    "digest",
    "stop",
    "claim",
    "link",
    "retry",
    "resend",
)
"""What may be said here: nothing that teaches, nothing that asks an agent."""

_SAYING = re.compile(r"[/!]?([a-z_-]+)(?=\s|$)(.*)", re.DOTALL | re.IGNORECASE)
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_REF = re.compile(r"\s+[pP]?\d+\b")
_CODE = re.compile(r"\s+[a-z0-9]{4}-?[a-z0-9]{4}\Z", re.IGNORECASE)


class Malformed(ValueError):
    """Not a webhook of the Graph API."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Text(_Part):
    body: str = ""


class _Pressed(_Part):
    id: str = ""


class _Interactive(_Part):
    button_reply: _Pressed | None = None


class _Button(_Part):
    payload: str = ""


class _Said(_Part):
    id: str
    wa_id: str = Field("", alias="from")
    user_id: str = Field("", alias="from_user_id")
    timestamp: int = 0
    type: str = ""
    text: _Text = _Text()
    interactive: _Interactive = _Interactive()
    button: _Button = _Button()


class _Profile(_Part):
    name: str = ""


class _Contact(_Part):
    wa_id: str = ""
    user_id: str = ""
    profile: _Profile = _Profile()


class _Metadata(_Part):
    phone_number_id: str = ""


class _Value(_Part):
    metadata: _Metadata = _Metadata()
    contacts: tuple[_Contact, ...] = ()
    messages: tuple[object, ...] = ()


class _Change(_Part):
    field: str = ""
    value: object = None


class _Entry(_Part):
    changes: tuple[_Change, ...] = ()


class _Webhook(_Part):
    object: str
    entry: tuple[_Entry, ...] = ()


def read(raw: object, phone_id: str, named: Collection[str] = ()) -> list[Message]:
    """What people said to the number `phone_id`; statuses and the rest say nothing.

    A person is known by the business-scoped user id, or the phone number where there is none; but
    by the one that `named` (the ids in the settings) holds, if it holds one. Raises Malformed.
    """
    try:
        webhook = _Webhook.model_validate(raw)
        values = [
            _Value.model_validate(change.value)
            for entry in webhook.entry
            for change in entry.changes
            if change.field == "messages"
        ]
    except ValidationError as error:
        raise Malformed(f"not a webhook: {error.error_count()} faults") from error
    return [m for value in values for m in _heard(value, phone_id, named)]


def _heard(value: _Value, phone_id: str, named: Collection[str]) -> Iterator[Message]:
    if value.metadata.phone_number_id not in ("", phone_id):
        return
    for raw in value.messages:
        try:
            said = _Said.model_validate(raw)
        except ValidationError:
            continue  # one that can't be read must not hide the others
        contact = _contact(value, said)
        wa_id, user_id = said.wa_id or contact.wa_id, said.user_id or contact.user_id
        if said.type in ("reaction", "system", "unsupported") or not (wa_id or user_id):
            continue
        pressed = said.interactive.button_reply.id if said.interactive.button_reply else ""
        pressed = pressed or said.button.payload
        person = next((i for i in (user_id, wa_id) if i and i in named), user_id or wa_id)
        yield Message(
            workspace=WORKSPACE,
            channel=CHANNEL,
            event_id=said.id,
            conversation=f"{CHANNEL}:{person}",
            sender=Sender(person, _UNSTORABLE.sub("", contact.profile.name)),
            text=command(pressed or said.text.body),
            address={"to": wa_id or user_id, "wa_id": wa_id, "user_id": user_id},
            sent_at=said.timestamp * 1000 or None,
            is_button=bool(pressed),
        )


def _contact(value: _Value, said: _Said) -> _Contact:
    """Whose message it is; a payload with one contact may leave that unsaid."""
    for contact in value.contacts:
        if (said.user_id and contact.user_id == said.user_id) or (
            said.wa_id and contact.wa_id == said.wa_id
        ):
            return contact
    return value.contacts[0] if len(value.contacts) == 1 else _Contact()


def command(text: str) -> str:
    """The command that was said, or /help. Without a slash it must be the bare words."""
    text = _UNSTORABLE.sub("", text).strip()
    match = _SAYING.match(text)
    name = match[1].lower().replace("_", "-") if match else ""
    if match is None or not works_here(name):
        return "/help"
    slashed, rest = text[0] in "/!", match[2].rstrip()
    if slashed or not rest or _REF.match(rest) or (name == "link" and _CODE.match(rest)):
        return f"/{name}{rest}"
    return "/help"


def works_here(name: str) -> bool:
    return name in WORKS_HERE
