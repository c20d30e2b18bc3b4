"""The outbox at work: intent before each send, result after it, a look before any repetition."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace

import structlog

from bot.errors import ChannelError, ChannelUnavailable, DeliveryUnclear, StorageError
from bot.lanes import Lanes
from bot.model.codec import reply_to_json
from bot.model.delivery import Delivery, DeliveryStatus
from bot.model.message import Button, Reply
from bot.ports.channels import Channel
from bot.ports.clock import Clock
from bot.ports.outbox import Outbox

log = structlog.get_logger()

_LONGEST_PAUSE = 300.0
_GIVE_UP = 300
_WORRYING = 3
"""Attempts, about a day of them: then it counts as failed and the owner is told."""


class Sender:
    """Sends in order within a place, in parallel between them.

    `may_send` is asked right before each send: a node that lost its lease sends nothing.
    `on_failed` hears of what could not be delivered for good. Twice the `pause` follows a first
    failure, and twice as much each further one.
    """

    def __init__(
        self,
        channels: Mapping[str, Channel],
        outbox: Outbox,
        clock: Clock,
        node: Callable[[], str],
        may_send: Callable[[], Awaitable[bool]],
        on_failed: Callable[[Delivery, str], Awaitable[None]],
        pause: float = 0.5,
    ) -> None:
        self._channels, self._outbox, self._clock = channels, outbox, clock
        self._node, self._may_send, self._on_failed = node, may_send, on_failed
        self._shortest = pause
        self._lanes = Lanes()

    def put(self, deliveries: Iterable[Delivery]) -> None:
        """Sends what has just been committed to the outbox."""
        for delivery in deliveries:
            self._lanes.put(delivery.place, delivery.id, self._job(delivery))

    async def bounced(self, workspace: str, delivery_id: str, cause: str, again: bool) -> None:
        """The platform had taken it and says now that it was not delivered; `again` says that
        another form of it is worth one more try."""
        node = self._node()
        delivery = await self._outbox.bounced(workspace, delivery_id, cause, again, node)
        if delivery is None:
            return
        log.error("delivery_bounced", delivery=delivery_id, run_id=delivery.run_id, cause=cause)
        if again:
            self.put([delivery])
        else:
            await self._on_failed(delivery, cause)

    async def stop(self, seconds: float) -> None:
        await self._lanes.drain(seconds)

    def _job(self, delivery: Delivery) -> Callable[[], Awaitable[None]]:
        async def job() -> None:
            try:
                await self._deliver(delivery)
            except Exception as error:
                log.exception("delivery_broke", delivery=delivery.id)
                await self._fail(delivery, f"{type(error).__name__}: {error}")

        return job

    async def _deliver(self, delivery: Delivery) -> None:
        channel = self._channels.get(delivery.channel)
        if channel is None:
            log.warning("channel_off", channel=delivery.channel, delivery=delivery.id)
            return
        unclear = delivery.status is DeliveryStatus.SENDING
        for attempt in range(delivery.attempts + 1, _GIVE_UP + 1):
            try:
                if unclear and await self._settled(channel, delivery):
                    return
                unclear = True  # whatever goes wrong from here on may have been shown
                await self._send(channel, delivery)
                return
            except ChannelUnavailable as error:
                unclear = False
                await self._pause(delivery, attempt, error)
            except DeliveryUnclear as error:
                log.info("delivery_unclear", delivery=delivery.id, cause=str(error))
                await asyncio.sleep(min(0.2 * attempt, 5.0))
            except ChannelError as error:
                return await self._fail(delivery, str(error), tell=not error.told)
            except StorageError as error:
                await asyncio.sleep(min(0.2 * attempt, 5.0))
                log.warning("outbox_waits", delivery=delivery.id, cause=str(error))
        await self._fail(delivery, f"gave up after {_GIVE_UP} attempts")

    async def _send(self, channel: Channel, delivery: Delivery) -> None:
        current = await self._outbox.intend(delivery, self._node())
        if current is None:
            return
        if current.edits is not None:
            current = replace(current, edits=await self._shown_before(current))
        if not await self._may_send():
            return
        ref = await channel.send(current)
        await self._outbox.sent(current, ref, self._clock.now())

    async def _shown_before(self, delivery: Delivery) -> Mapping[str, object] | None:
        """The platform's reference of the message that an edit replaces."""
        original = await self._outbox.get(
            delivery.workspace, str((delivery.edits or {})["delivery"])
        )
        if original is None or original.status is DeliveryStatus.FAILED:
            raise ChannelError("the message to edit was never shown")
        if original.ref is None:
            raise ChannelUnavailable("the message to edit is still on its way", retry_after=0.5)
        return original.ref

    async def _settled(self, channel: Channel, delivery: Delivery) -> bool:
        """After an unclear send: True once nothing is left to do; False if it may be sent."""
        if delivery.edits is None:
            try:
                ref = await self._look(channel, delivery)
            except DeliveryUnclear as error:
                await self._ask_instead(delivery, str(error))
                return True
            if ref is not None:
                await self._outbox.sent(delivery, ref, self._clock.now())
                return True
        await self._outbox.again(delivery, 0, "")
        return False

    async def _look(self, channel: Channel, delivery: Delivery) -> Mapping[str, object] | None:
        """Looks until the platform answers: sending unseen is what could double a reply."""
        pause = 0.5
        while True:
            try:
                return await channel.find(delivery)
            except ChannelUnavailable as error:
                await asyncio.sleep(error.retry_after or pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    async def _ask_instead(self, delivery: Delivery, cause: str) -> None:
        """Nobody can tell whether it was shown: sending it again might double it, so the person
        decides, and the owner knows."""
        await self._outbox.failed(delivery, f"unclear: {cause}")
        log.warning("delivery_unknown", delivery=delivery.id, run_id=delivery.run_id, cause=cause)
        await self._on_failed(delivery, f"it may or may not have been shown ({cause})")
        if delivery.id.startswith("ask:") or not delivery.run_id:
            return
        said = "I was interrupted while I sent you an answer. If you don't see it above:"
        button = Button("Send it again", f"/resend {delivery.run_id}", "primary")
        question = replace(
            delivery,
            id=f"ask:{delivery.id}"[:80],
            reply=reply_to_json(Reply(said, delivery.run_id, buttons=(button,))),
            status=DeliveryStatus.QUEUED,
            attempts=0,
            card="",
        )
        self.put(await self._outbox.add([question], self._node(), self._clock.now()))

    async def _pause(self, delivery: Delivery, attempt: int, error: ChannelError) -> None:
        pause = error.retry_after or min(self._shortest * 2 ** min(attempt, 12), _LONGEST_PAUSE)
        await self._outbox.again(delivery, self._clock.now() + round(pause * 1000), str(error))
        # A pause that was asked for is nothing to worry about; one that goes on is for the screen.
        say = log.info if error.retry_after or attempt < _WORRYING else log.warning
        say("delivery_waits", delivery=delivery.id, seconds=pause, cause=str(error))
        await asyncio.sleep(pause)

    async def _fail(self, delivery: Delivery, cause: str, tell: bool = True) -> None:
        log.error("delivery_failed", delivery=delivery.id, run_id=delivery.run_id, cause=cause)
        await self._outbox.failed(delivery, cause)
        if tell:
            await self._on_failed(delivery, cause)
