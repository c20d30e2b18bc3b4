"""Sends what nobody asked for."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from bot.model.message import Reply
from bot.places import Place, Reached


class Post(Protocol):
    """Sends what nobody asked for: cards and warnings."""

    async def to_admins(self, workspace: str, reply: Reply, *, key: str) -> None:
        """To the workspace's own admin channel, or else its first owner who can be reached, and to
        whoever watches at this machine. The same `key` twice is one posting."""

    async def places(self, workspace: str, where: str, near: Place | None = None) -> Reached:
        """Where a policy's word leads now; `near` is where the thing was asked for."""

    async def to_places(
        self, workspace: str, places: Sequence[Place], reply: Reply, *, key: str, card: str = ""
    ) -> None:
        """To each of them. The same `key` in the same place is one posting; `card` is what
        `update_card` finds it by, where that isn't the reply's own card."""

    def to_watchers(self, workspace: str, reply: Reply, *, key: str) -> None:
        """To whoever watches at this machine: the page, the terminal."""

    async def to_place(
        self,
        workspace: str,
        channel: str,
        address: Mapping[str, object],
        reply: Reply,
        *,
        key: str,
    ) -> bool:
        """To one place, by an address as the channel gives it with a message. The same `key` twice
        is one message there. False where the channel is off: nothing is sent then."""

    async def update_card(self, workspace: str, ref: str, reply: Reply) -> None:
        """Replaces every message that shows card `ref`, wherever it was sent."""
