"""People, their platform identities, and what a role may do."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    GUEST = "guest"
    MEMBER = "member"
    APPROVER = "approver"
    OWNER = "owner"

    def may(self, needed: "Role") -> bool:
        """Whether this role includes what `needed` may do; roles are nested."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True)
class Person:
    """One person in one workspace; several identities may point at them."""

    id: str
    workspace: str
    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Identity:
    workspace: str
    channel: str
    external_id: str
    person: str

    @property
    def label(self) -> str:
        """ "slack:U012AB3CD", the form of the settings."""
        return f"{self.channel}:{self.external_id}"


@dataclass(frozen=True, slots=True)
class Code:
    """A one-time code as it stands. `ours`: it was issued in the workspace that asks; if not, its
    payload stays empty. `used_at` is 0 while it is unused; times are ms, UTC."""

    ours: bool
    payload: Mapping[str, object]
    expires_at: int
    used_at: int
