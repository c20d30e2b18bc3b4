"""Sends what nobody asked for: cards to decide on, warnings, and the updates of cards."""

import hashlib
from collections.abc import Callable, Mapping, Sequence

from bot.events import Events
from bot.model.codec import reply_to_json
from bot.model.delivery import Delivery
from bot.model.message import Reply
from bot.places import ADDRESS_KEY, Place, Reached
from bot.ports.channels import Event
from bot.ports.clock import Clock, Ids
from bot.ports.outbox import Outbox
from bot.reach import Reach

_COPIES = 50
"""The most copies of one card that an update reaches."""


class OutboxPost:
    """Implements `bot.ports.post.Post` over the outbox; local watchers get a "card" event."""

    def __init__(
        self,
        reach: Reach,
        outbox: Outbox,
        events: Events,
        clock: Clock,
        ids: Ids,
        node: Callable[[], str],
        active: Callable[[str], bool],
        leaving: Callable[[Sequence[Delivery]], None],
    ) -> None:
        self._reach, self._outbox = reach, outbox
        self._events, self._clock, self._ids = events, clock, ids
        self._node, self._active, self._leaving = node, active, leaving

    async def to_admins(self, workspace: str, reply: Reply, *, key: str) -> None:
        places = await self._reach.admins(workspace)
        await self.to_places(workspace, places, reply, key=key)
        self.to_watchers(workspace, reply, key=key)

    async def places(self, workspace: str, where: str, near: Place | None = None) -> Reached:
        return await self._reach.places(workspace, where, near)

    async def to_places(
        self, workspace: str, places: Sequence[Place], reply: Reply, *, key: str, card: str = ""
    ) -> None:
        body = reply_to_json(reply)
        made = [
            Delivery(
                f"post:{_digest(workspace, key, place.channel, place.name)}",
                workspace,
                reply.run_id,
                place.channel,
                place.address,
                body,
                card=card or (reply.card.ref if reply.card else ""),
            )
            for place in places
        ]
        if made:
            self._leaving(await self._outbox.add(made, self._node(), self._clock.now()))

    def to_watchers(self, workspace: str, reply: Reply, *, key: str) -> None:
        shown = {"workspace": workspace, "key": key, "reply": reply_to_json(reply)}
        self._events.publish(Event("", "card", shown))

    async def to_place(
        self,
        workspace: str,
        channel: str,
        address: Mapping[str, object],
        reply: Reply,
        *,
        key: str,
    ) -> bool:
        if channel not in ADDRESS_KEY or not self._active(channel):
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
        if reply.card:
            self.to_watchers(workspace, reply, key=ref)


def _digest(*parts: str) -> str:
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:40]
