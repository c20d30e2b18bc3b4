"""Answers while they grow: a draft in a private chat, an edited message in a group."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from bot.errors import ChannelError, ChannelUnavailable, DeliveryUnclear, StorageError
from bot.events import Events
from bot.live import Growing, Progress
from bot.model.run import Run
from bot.ports.clock import Clock
from bot.ports.outbox import Drafts
from handlers.telegram.bot_api import BotApi
from handlers.telegram.outgoing import Part, growing
from handlers.telegram.pauses import Pauses
from handlers.telegram.place import Lacking, Place

_IN_DRAFT, _IN_GROUP = 0.8, 0.5
"""Seconds between two looks at what has grown; a group has a slower pace of its own."""
_SHORT = 1.5
"""Seconds within which an answer in a group is shown only once it is whole."""
_RENEWED = 20.0
"""Seconds after which a draft is shown again; Telegram takes it away after 30."""
_AT_ONCE = 2_000
POSTING = "posting"
"""In what is kept of a growing message: it is being shown, and nobody knows its number yet."""


class Live:
    """Nothing of this is needed for an answer to arrive; all of it is over before it leaves."""

    def __init__(
        self,
        api: BotApi,
        clock: Clock,
        pauses: Pauses,
        log: Any,
        *,
        events: Events | None = None,
        drafts: Drafts | None = None,
        redact: Callable[[str], str] = str,
    ) -> None:
        self._api, self._clock, self._pauses, self._log = api, clock, pauses, log
        self._events, self._drafts, self._redact = events, drafts, redact
        self._shown: OrderedDict[str, tuple[Growing, _Draft | _Post]] = OrderedDict()
        self._lacking = False

    def follow(self, run: Run, place: Place) -> None:
        if self._events is None or self._drafts is None or run.id in self._shown:
            return
        shown: _Draft | _Post
        if not place.private:
            shown = _Post(self._api, self._clock, self._pauses, self._drafts, run, place)
        elif self._lacking:
            return
        else:
            shown = _Draft(self._api, place, run.id, self._lacks)
        pause = _IN_DRAFT if place.private else _IN_GROUP
        following = Growing(
            self._events, run.id, shown.show, redact=self._redact, pause=pause, log=self._log
        )
        self._shown[run.id] = following, shown
        if len(self._shown) > _AT_ONCE:
            self._shown.popitem(last=False)

    async def settle(self, run_id: str) -> None:
        """Nothing of the run's growing is on its way once this returns."""
        following, shown = self._shown.pop(run_id, (None, None))
        if following and shown:
            await following.settle()
            await shown.stop()

    async def stop(self) -> None:
        for run_id in list(self._shown):
            await self.settle(run_id)

    async def shown_at(self, workspace: str, run_id: str) -> Mapping[str, object] | None:
        """Where the run's growing answer is shown: a message's reference, or what was being
        posted when everything stopped (see POSTING)."""
        found = await self._drafts.get(workspace, run_id) if self._drafts else None
        return found or None

    def _lacks(self) -> None:
        self._lacking = True


@dataclass
class _Draft:
    """A private chat's preview: nothing to keep and nothing to take away."""

    api: BotApi
    place: Place
    run_id: str
    lacks: Callable[[], None]
    _last: Part | None = None
    _renewing: asyncio.Task[None] | None = None
    _over: asyncio.Event = field(default_factory=asyncio.Event)
    _fresh: asyncio.Event = field(default_factory=asyncio.Event)

    async def show(self, progress: Progress) -> None:
        part = growing(progress, end=True)
        if part is None or part == self._last:
            return
        try:
            await self.api.draft(self.place, _draft_id(self.run_id), part)
        except Lacking:
            self.lacks()
            raise
        except DeliveryUnclear as error:  # to say it again does no harm
            raise ChannelUnavailable(str(error), retry_after=2.0) from error
        self._last = part
        self._fresh.set()
        if self._renewing is None:
            self._renewing = asyncio.create_task(self._renew())

    async def stop(self) -> None:
        """Waits for what is on its way: a draft that comes after the answer would stay for long."""
        self._over.set()
        self._fresh.set()
        if self._renewing:
            await asyncio.wait([self._renewing])

    async def _renew(self) -> None:
        while not self._over.is_set():
            self._fresh.clear()
            try:
                async with asyncio.timeout(_RENEWED):
                    await self._fresh.wait()
            except TimeoutError:
                if self._last:
                    with suppress(ChannelError):
                        await self.api.draft(self.place, _draft_id(self.run_id), self._last)


@dataclass
class _Post:
    """A group's message that is changed as the answer grows, and becomes the answer."""

    api: BotApi
    clock: Clock
    pauses: Pauses
    drafts: Drafts
    run: Run
    place: Place
    _ref: Mapping[str, object] | None = None
    _last: Part | None = None
    _begun: float = -1.0

    def __post_init__(self) -> None:
        self._begun = self.clock.monotonic()

    async def show(self, progress: Progress) -> None:
        part = growing(progress, end=False)
        if part is None or part == self._last:
            return
        early = self._begun + _SHORT - self.clock.monotonic()
        wait = max(early, self.pauses.until_change(self.place.chat_id))
        if wait > 0:
            raise ChannelUnavailable("not yet", retry_after=wait)
        try:
            await (self._change(part, self._ref) if self._ref else self._post(part))
        except ChannelUnavailable as error:
            if error.retry_after:
                self.pauses.throttled(self.place.chat_id, error.retry_after)
            raise
        except StorageError as error:
            raise ChannelError(str(error)) from error
        self._last = part

    async def stop(self) -> None:
        """Nothing goes on by itself."""

    async def _change(self, part: Part, ref: Mapping[str, object]) -> None:
        self.pauses.spoke(self.place.chat_id)
        try:
            await self.api.change(ref, part)
        except DeliveryUnclear as error:
            raise ChannelUnavailable(str(error), retry_after=2.0) from error

    async def _post(self, part: Part) -> None:
        """Kept before it is shown, and with its number after: a crash in between is found out."""
        kept = await self.drafts.get(self.run.workspace, self.run.id)
        if kept and POSTING in kept:
            raise ChannelError("nobody knows whether it is shown already")
        if kept:
            self._ref = kept
            return await self._change(part, kept)
        await self._keep({"chat_id": self.place.chat_id, POSTING: part.plain})
        self.pauses.spoke(self.place.chat_id)
        try:
            self._ref = await self.api.show(self.place, part)
        except DeliveryUnclear:
            raise
        except ChannelError:
            await self._keep({})
            raise
        await self._keep(self._ref)

    async def _keep(self, ref: Mapping[str, object]) -> None:
        await self.drafts.put(self.run.workspace, self.run.id, self.run.channel, ref)


def _draft_id(run_id: str) -> int:
    """The same for a run wherever it is worked on, and never 0."""
    return int.from_bytes(sha256(run_id.encode()).digest()[:4]) % (2**31 - 1) + 1
