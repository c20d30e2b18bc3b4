"""Sends what nobody asked for."""

from collections.abc import Mapping
from typing import Protocol

from bot.model.message import Reply


class Post(Protocol):
    """Sends what nobody asked for: cards and warnings."""

    async def to_admins(self, workspace: str, reply: Reply, *, key: str, besides: str = "") -> None:
        """To the admin channel that the setting names (and, for a card that asks for a decision,
        to Telegram approvers). The same `key` twice is one posting. `besides` is the place
        (`Delivery.place`) where it is shown anyway."""

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
