"""People, their platform identities, and what a role may do."""

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
