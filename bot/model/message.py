"""What comes in and what goes out, in no platform's words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bot.model.file import Attached, FileRef

Turn = tuple[Literal["user", "assistant", "system"], str]


@dataclass(frozen=True, slots=True)
class Sender:
    """Who wrote, in the platform's own ids.

    `external_id` is unique within (workspace, channel). `trusted_local` is true only for a person
    at this machine's own terminal or loopback page.
    """

    external_id: str
    name: str = ""
    trusted_local: bool = False
    is_bot: bool = False
    is_guest: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One thing a person said or pressed.

    `event_id` is the platform's id of the delivery, unique within (workspace, channel): the same
    id is the same message however often it is delivered. `conversation` is the platform's thread
    or chat key. `address` is what the channel needs to reply (JSON values only). `text` that
    begins with "/" or "!" is a command. `sent_at` is ms since the epoch, UTC, by the platform's
    clock, or None where it says nothing.
    """

    workspace: str
    channel: str
    event_id: str
    conversation: str
    sender: Sender
    text: str
    address: Mapping[str, object] = field(default_factory=dict)
    agent: str | None = None
    history: tuple[Turn, ...] = ()
    sent_at: int | None = None
    is_button: bool = False
    never_expires: bool = False
    files: tuple[FileRef, ...] = ()


@dataclass(frozen=True, slots=True)
class Button:
    """A button is a command: pressing it says `command`, as the person who pressed it.

    `command` is at most 64 bytes of UTF-8, so that every platform can carry it.
    """

    label: str
    command: str
    style: Literal["default", "primary", "danger"] = "default"
    asks: str | None = None
    """A question to ask first; what the person writes is appended to `command`."""
    value: str = ""
    """What the answer begins as, where the platform can fill it in."""


@dataclass(frozen=True, slots=True)
class Field:
    """A short labelled value on a card."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Card:
    """Something to look at and decide: a proposal, a warning, a failed job.

    `ref` names what the card shows ("P12"), so that it can be found again and updated in place.
    `diff` is a unified diff without file headers. `status` replaces the buttons once decided.
    """

    title: str
    body: str = ""
    fields: tuple[Field, ...] = ()
    diff: str = ""
    ref: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG image with a text for those who can't see it."""

    png: bytes
    alt: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What a person gets. `text` is CommonMark; each channel renders it its own way.

    `rateable` adds thumbs for `run_id`. `private` asks for a reply that only the person sees,
    where the platform can do that. `footer` is one short line below the text. `files` are shown
    as uploads where the platform takes them. `data` is the same for programs, as JSON values.
    """

    text: str
    run_id: str = ""
    buttons: tuple[Button, ...] = ()
    card: Card | None = None
    picture: Picture | None = None
    rateable: bool = False
    private: bool = False
    footer: str = ""
    files: tuple[Attached, ...] = ()
    data: Mapping[str, object] = field(default_factory=dict)
