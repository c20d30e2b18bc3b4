"""Sends what nobody asked for: cards to decide on, warnings, and the updates of cards."""

import hashlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence

from bot.config import Settings
from bot.events import Events
from bot.model.codec import reply_to_json
from bot.model.delivery import Delivery
from bot.model.message import Reply
from bot.model.person import Role
from bot.places import ADDRESS_KEY
from bot.ports.channels import Event
from bot.ports.clock import Clock, Ids
from bot.ports.outbox import Outbox
from bot.ports.stores import Installations, People

_HOME = "local"
_COPIES = 50
"""The most copies of one card that an update reaches."""


class OutboxPost:
    """Implements `bot.ports.post.Post` over the outbox; local watchers get a "card" event."""

    def __init__(
        self,
        settings: Settings,
        people: People,
        outbox: Outbox,
        events: Events,
        clock: Clock,
        ids: Ids,
        node: Callable[[], str],
        active: Callable[[str], bool],
        leaving: Callable[[Sequence[Delivery]], None],
        installations: Installations,
    ) -> None:
        self._settings, self._people, self._outbox = settings, people, outbox
        self._events, self._clock, self._ids = events, clock, ids
        self._node, self._active, self._leaving = node, active, leaving
        self._installations = installations

    async def to_admins(self, workspace: str, reply: Reply, *, key: str, besides: str = "") -> None:
        body = reply_to_json(reply)
        card = reply.card.ref if reply.card else ""
        made = [
            Delivery(
                _id(key, channel, target),
                workspace,
                reply.run_id,
                channel,
                {ADDRESS_KEY[channel]: target},
                body,
                card=card,
            )
            for channel, target in [t async for t in self._targets(workspace, reply)]
        ]
        deliveries = [delivery for delivery in made if delivery.place != besides]
        if deliveries:
            added = await self._outbox.add(deliveries, self._node(), self._clock.now())
            self._leaving(added)
        self._events.publish(Event("", "card", {"workspace": workspace, "key": key, "reply": body}))

    async def to_place(
        self,
        workspace: str,
        channel: str,
        address: Mapping[str, object],
        reply: Reply,
        *,
        key: str,
    ) -> bool:
        if not self._active(channel):
            return False
        target = str(address.get(ADDRESS_KEY[channel], ""))
        made = Delivery(
            f"place:{_digest(workspace, key, channel, target)}",
            workspace,
            reply.run_id,
            channel,
            address,
            reply_to_json(reply),
            card=reply.card.ref if reply.card else "",
        )
        self._leaving(await self._outbox.add([made], self._node(), self._clock.now()))
        return True

    async def update_card(self, workspace: str, ref: str, reply: Reply) -> None:
        edits = await self._outbox.refresh_card(
            workspace,
            ref,
            reply_to_json(reply),
            [self._ids.run_id() for _ in range(_COPIES)],
            self._node(),
            self._clock.now(),
        )
        self._leaving(edits)
        body = reply_to_json(reply)
        self._events.publish(Event("", "card", {"workspace": workspace, "key": ref, "reply": body}))

    async def _targets(self, workspace: str, reply: Reply) -> AsyncIterator[tuple[str, str]]:
        seen = set()
        for channel, target in await self._admins(workspace):
            seen.add((channel, target))
            yield channel, target
        if not (reply.card and reply.buttons and self._active("telegram")):
            return
        # A private chat's id is the person's id.
        approvers = await self._people.addresses(workspace, "telegram", Role.APPROVER)
        for _, external_id in approvers:
            if ("telegram", external_id) not in seen:
                yield "telegram", external_id

    async def _admins(self, workspace: str) -> Sequence[tuple[str, str]]:
        """The settings speak for their own workspace; elsewhere it is whoever installed the app."""
        if workspace == _HOME:
            return list(self._named())
        found = await self._installations.get(workspace)
        if found is None or not found.installed_by or found.removed_at:
            return []
        return [(found.channel, found.installed_by)] if self._active(found.channel) else []

    def _named(self) -> Iterator[tuple[str, str]]:
        for place in self._settings.listed(self._settings.admin_channel):
            channel, _, target = place.partition(":")
            if channel in ADDRESS_KEY and target and self._active(channel):
                yield channel, target


def _id(key: str, channel: str, target: str) -> str:
    return f"post:{_digest(key, channel, target)}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:40]
