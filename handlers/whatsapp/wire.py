"""The forms of Meta's webhooks, as leniently as they may come; pure."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

P = TypeVar("P", bound="Part")


class Part(BaseModel):
    """What is null is the same as what is missing; numbers may come as numbers."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, raw: Any) -> Any:
        if isinstance(raw, Mapping):
            return {name: value for name, value in raw.items() if value is not None}
        return raw


class Text(Part):
    body: str = ""


class Choice(Part):
    id: str = ""


class Interactive(Part):
    button_reply: Choice = Choice()
    list_reply: Choice = Choice()


class Pressed(Part):
    payload: str = ""


class System(Part):
    """What changed about a person: only the new ids are here."""

    type: str = ""
    wa_id: str = ""
    new_wa_id: str = ""
    user_id: str = ""
    previous_user_id: str = ""


class Said(Part):
    id: str
    wa_id: str = Field("", alias="from")
    user_id: str = Field("", alias="from_user_id")
    timestamp: object = 0
    type: str = ""
    group_id: str = ""
    text: Text = Text()
    interactive: Interactive = Interactive()
    button: Pressed = Pressed()
    system: System = System()


class Profile(Part):
    name: str = ""


class Contact(Part):
    wa_id: str = ""
    user_id: str = ""
    profile: Profile = Profile()


class Details(Part):
    details: str = ""


class Fault(Part):
    code: int = 0
    title: str = ""
    message: str = ""
    error_data: Details = Details()


class Status(Part):
    id: str
    status: str
    timestamp: object = 0
    biz_opaque_callback_data: str = ""
    errors: tuple[object, ...] = ()


class Turned(Part):
    previous: str = ""
    current: str = ""


class IdUpdate(Part):
    wa_id: str = ""
    user_id: Turned = Turned()
    timestamp: object = 0


class Preference(Part):
    wa_id: str = ""
    user_id: str = ""
    value: str = ""
    timestamp: object = 0


class Metadata(Part):
    phone_number_id: str = ""


class Value(Part):
    metadata: Metadata = Metadata()
    contacts: tuple[object, ...] = ()
    messages: tuple[object, ...] = ()
    statuses: tuple[object, ...] = ()
    user_id_update: tuple[object, ...] = ()
    user_preferences: tuple[object, ...] = ()


class Change(Part):
    field: str = ""
    value: object = None


class Entry(Part):
    changes: tuple[object, ...] = ()


class Webhook(Part):
    object: str
    entry: tuple[Any, ...] = ()


def each(kind: type[P], raw: tuple[object, ...]) -> Iterator[P]:
    """Those that can be read: one that can't must not hide the others."""
    for one in raw:
        if (part := readable(kind, one)) is not None:
            yield part


def readable(kind: type[P], raw: object) -> P | None:
    try:
        return kind.model_validate(raw)
    except ValidationError:
        return None


def ms(timestamp: object) -> int:
    """Seconds since the epoch, as text or number, in ms; 0 for what is none."""
    text = str(timestamp).strip()
    return int(text) * 1000 if text.isascii() and text.isdigit() and len(text) <= 11 else 0
