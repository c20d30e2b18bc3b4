"""Who it is about, kept: people, where they are reached and where they talk."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from bot.model.contact import Consent, Contact
from bot.model.installation import Installation
from bot.model.person import Code, Identity, Person, Role
from bot.model.subscription import Subscription


class People(Protocol):
    async def resolve(
        self, workspace: str, channel: str, external_id: str, name: str, default: Role
    ) -> Person:
        """The person behind a platform id; a first meeting makes them with the default role."""

    async def get(self, workspace: str, person: str) -> Person | None: ...

    async def with_role(self, workspace: str, role: Role) -> list[Person]:
        """Those whose role is exactly this one, first met first."""

    async def set_role(self, workspace: str, person: str, role: Role) -> None: ...

    async def link(self, workspace: str, channel: str, external_id: str, person: str) -> None: ...

    async def merge(self, workspace: str, old: str, into: str) -> tuple[Person, Sequence[str]]:
        """Two become one, who has the higher of both roles: everything of `old` is theirs, and
        its id leads to them. Returns them and the runs that both had rated. Raises NotFound."""

    async def cut(self, workspace: str, channel: str, external_id: str, role: Role) -> Person:
        """Makes an identity a person of its own, with that role. Raises NotFound, or Conflict for
        a person's last one."""

    async def linked(self, workspace: str) -> Sequence[tuple[Person, Sequence[Identity]]]:
        """Everyone with more than one identity, first met first."""

    async def identities(self, workspace: str, person: str) -> list[Identity]:
        """First met first."""

    async def addresses(self, workspace: str, channel: str, role: Role) -> list[tuple[str, str]]:
        """(person, external id) of everyone on the channel whose role includes `role`."""


class Conversations(Protocol):
    async def agent(self, workspace: str, conversation: str) -> str:
        """The agent that the conversation chose by name, or ""."""

    async def set_agent(self, workspace: str, conversation: str, agent: str) -> None: ...


class Codes(Protocol):
    """One-time codes: only their digests are kept."""

    async def issue(
        self,
        workspace: str,
        purpose: str,
        code: str,
        payload: Mapping[str, object],
        expires_at: int,
    ) -> None: ...

    async def redeem(
        self, workspace: str, purpose: str, code: str, now: int
    ) -> Mapping[str, object] | None:
        """The payload for the first who shows the code in time; None for anyone else."""

    async def look(self, workspace: str, purpose: str, code: str) -> Code | None:
        """A code as it stands, of whatever workspace; it stays unused."""

    async def tries(self, workspace: str, purpose: str, key: str, now: int, until: int) -> int:
        """Counts a try until then (ms), the same `key` once; returns how many count now."""


class Contacts(Protocol):
    async def get(self, workspace: str, channel: str, external_id: str) -> Contact | None: ...

    async def heard(
        self,
        workspace: str,
        channel: str,
        external_id: str,
        at: int,
        address: Mapping[str, object],
    ) -> None:
        """They wrote at this ms (never moves back); a disabled contact is enabled again."""

    async def set_consent(
        self, workspace: str, channel: str, external_id: str, consent: Consent, at: int, word: str
    ) -> None:
        """Unless something newer was said; a no ends a pause whenever it was said."""

    async def disable(
        self, workspace: str, channel: str, external_id: str, at: int, why: str
    ) -> bool:
        """True for the first to say so."""


class Installations(Protocol):
    """Workspaces that installed the app by themselves. Tokens are kept sealed."""

    async def put(self, workspace: str, installation: Installation, token: str) -> None:
        """Installed now, or again. Raises ConfigError where no key is set."""

    async def get(self, workspace: str) -> Installation | None:
        """Also where it was removed since."""

    async def token(self, workspace: str) -> str | None:
        """None where it isn't installed (any more). Raises ConfigError where no key opens it."""

    async def remove(self, workspace: str, at: int) -> bool:
        """Erases the token; False if it was gone."""


class Subscriptions(Protocol):
    async def put(self, one: Subscription) -> None:
        """The same person, place and cadence again changes the one there is; what was sent of it
        stays known."""

    async def all(self, workspace: str) -> Sequence[Subscription]: ...

    async def of_person(self, workspace: str, person: str) -> Sequence[Subscription]:
        """First asked for first, as the others."""

    async def at_place(
        self, workspace: str, channel: str, place: str
    ) -> Sequence[Subscription]: ...

    async def end(self, one: Subscription) -> bool: ...

    async def settle(self, one: Subscription, due: int) -> bool:
        """The digest that was due then (ms) is sent or needn't be. Compare-and-set from
        `one.sent_at`: True for the first to say so."""
