"""What sends and what keeps nodes alive ask of the store."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from bot.model.delivery import Delivery
from bot.model.run import Run


class Outbox(Protocol):
    async def add(self, deliveries: Sequence[Delivery], node: str, now: int) -> list[Delivery]:
        """Queues them; ids that are known already are left out of the answer."""

    async def intend(self, delivery: Delivery, node: str) -> Delivery | None:
        """Records that it is about to be sent; None if it isn't this node's to send."""

    async def sent(self, delivery: Delivery, ref: Mapping[str, object], now: int) -> None: ...

    async def again(self, delivery: Delivery, at: int, error: str) -> None:
        """Certainly not shown: may be sent again from `at` (ms) on."""

    async def failed(self, delivery: Delivery, error: str) -> None: ...

    async def bounced(
        self, workspace: str, delivery_id: str, error: str, again: bool, node: str
    ) -> Delivery | None:
        """The platform had taken it and did not deliver it: it failed, or with `again` is queued
        once more. The delivery for the first to say so."""

    async def get(self, workspace: str, delivery_id: str) -> Delivery | None: ...

    async def run_of(self, workspace: str, channel: str, ref: Mapping[str, object]) -> str | None:
        """The run that a shown message answers, among the channel's latest."""

    async def refresh_card(
        self,
        workspace: str,
        card: str,
        reply: Mapping[str, object],
        new_ids: Sequence[str],
        node: str,
        now: int,
    ) -> list[Delivery]:
        """Queues an edit for every message that shows the card."""


class Drafts(Protocol):
    """Where an answer that still grows is shown, so that its end replaces it after a crash too."""

    async def put(
        self, workspace: str, run_id: str, channel: str, ref: Mapping[str, object]
    ) -> None: ...

    async def get(self, workspace: str, run_id: str) -> Mapping[str, object] | None: ...


class Nodes(Protocol):
    async def register(
        self, node: str, *, host: str, pid: int, now: int, lease_until: int, version: str
    ) -> None: ...

    async def renew(self, node: str, lease_until: int) -> bool: ...

    async def release(self, node: str) -> None: ...

    async def end_others(self, node: str) -> None: ...

    async def reap(self, node: str, now: int) -> list[str]: ...

    async def claim_runs(self, node: str, limit: int) -> list[Run]: ...

    async def claim_deliveries(self, node: str, limit: int) -> list[Delivery]: ...
