"""Where a person can be reached on a platform, and whether they and it let us write there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Consent = Literal["", "in", "paused", "out"]
"""What was last said about being written to unasked: nothing, yes, not for now, no."""


@dataclass(frozen=True, slots=True)
class Contact:
    """One platform id in one workspace. Times are ms, UTC; 0 is never.

    `address` is what the channel needs to write there. `consent` is what the person last said
    about being written to unasked, `consent_word` the word they said it with. `heard_at` is when
    they last wrote. `disabled_at` is when the platform refused us for good, `disabled_why` its
    reason; hearing from them enables the contact again.
    """

    workspace: str
    channel: str
    external_id: str
    address: Mapping[str, object] = field(default_factory=dict)
    consent: Consent = ""
    consent_at: int = 0
    consent_word: str = ""
    heard_at: int = 0
    disabled_at: int = 0
    disabled_why: str = ""
