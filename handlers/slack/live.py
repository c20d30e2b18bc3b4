"""Answers while they grow: a stream in the thread with a card per step, else an edited message."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.errors import ChannelError, ChannelUnavailable, DeliveryUnclear, RatchetError
from bot.events import Events
from bot.live import Growing, Progress
from bot.model.delivery import Delivery
from bot.model.message import Reply
from bot.model.run import Run
from bot.ports.outbox import Drafts
from handlers.slack.api import Api, Refused
from handlers.slack.draft import Draft, beginning, busy_line, from_ref, mark
from handlers.slack.finishing import Finishing
from handlers.slack.incoming import is_direct, text_of
from handlers.slack.looking import Looking
from handlers.slack.outgoing import marked, metadata, render

_KEPT = 2_000
_PATIENCE = 4.0
"""Seconds that one call may take, so that nothing keeps the answer itself waiting."""

_NO_STREAMS = {
    "feature_not_enabled",
    "http_404",
    "http_405",
    "missing_scope",
    "not_allowed_token_type",
    "unknown_method",
}
"""Refusals of a stream that say that there will be none the next time either."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What growing answers are made from. `redact` is applied before anyone sees them. `pause` is
    the number of seconds before anything is shown and between two calls for one stream; two edits
    of one message are twice as far apart."""

    events: Events
    drafts: Drafts
    redact: Callable[[str], str]
    pause: float = 0.6


class Live:
    """The growing answers of one workspace. `team` says its id; `log` is a structlog logger."""

    def __init__(
        self,
        api: Api,
        sources: Sources,
        team: Callable[[], Awaitable[str]],
        looking: Looking,
        finishing: Finishing,
        log: Any,
    ) -> None:
        self.api, self.sources, self.team, self.log = api, sources, team, log
        self.looking, self.finishing = looking, finishing
        self.streams = True
        """Until Slack says that this workspace has none."""
        self._answers: dict[str, _Answer] = {}

    def follow(self, run: Run) -> None:
        """As `Channel.follow`."""
        if not text_of(run.address.get("channel")):
            return
        before = self._answers.pop(run.id, None)
        if before is None and len(self._answers) >= _KEPT:
            before = self._answers.pop(next(iter(self._answers)))
        if before:
            before.leave()
        self._answers[run.id] = _Answer(self, run)

    async def settled(self, delivery: Delivery) -> Draft | None:
        """Where the answer is to be shown; nothing grows there any more. Raises
        ChannelUnavailable while Slack doesn't say whether there is such a place."""
        if delivery.id != delivery.run_id:
            return None
        answer = self._answers.get(delivery.run_id)
        if answer:
            await answer.settle()
        if answer and not answer.unread:
            draft = answer.draft
        else:
            draft = await self.remembered(delivery.workspace, delivery.run_id)
        if draft and not draft.ts:
            draft = await self.found(draft)
        if answer:
            answer.draft, answer.unread = draft, False
        return draft

    async def remembered(self, workspace: str, run_id: str) -> Draft | None:
        """What another process has begun, or this one before a restart."""
        ref = await self.sources.drafts.get(workspace, run_id)
        return from_ref(run_id, ref) if ref else None

    def forget(self, delivery: Delivery) -> None:
        """It is answered, or never will be."""
        if answer := self._answers.pop(delivery.run_id, None):
            answer.leave()

    async def close(self) -> None:
        answers, self._answers = [*self._answers.values()], {}
        await asyncio.gather(*(answer.settle() for answer in answers))

    async def found(self, draft: Draft) -> Draft | None:
        """The draft that an interrupted call has left, if it has."""
        try:
            return await self.looking.draft(draft)
        except Refused as error:
            self.log.info("slack_draft_not_looked_for", cause=str(error))
            return None
        except DeliveryUnclear as error:
            raise ChannelUnavailable(str(error), retry_after=error.retry_after) from error


class _Answer:
    """One answer that grows."""

    def __init__(self, live: Live, run: Run) -> None:
        self._live, self._run = live, run
        self.draft: Draft | None = None
        self.unread = run.attempt > 1
        """Whether another process may have begun a draft, of which nothing is known here yet."""
        self._pausing = True
        self._growing = Growing(
            live.sources.events,
            run.id,
            self._show,
            redact=live.sources.redact,
            pause=live.sources.pause,
            log=live.log,
        )

    async def settle(self) -> None:
        await self._growing.settle()

    def leave(self) -> None:
        self._growing.leave()

    async def _show(self, progress: Progress) -> None:
        pausing, self._pausing = self._pausing, False
        if pausing:
            raise ChannelUnavailable("not yet")
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._grow(progress)
        except TimeoutError as error:
            self._doubt()
            raise DeliveryUnclear("took too long") from error
        except DeliveryUnclear:
            self._doubt()
            raise
        except ChannelError:
            raise
        except RatchetError as error:
            raise ChannelError(str(error)) from error

    def _doubt(self) -> None:
        """What the stream says isn't certain any more."""
        if self.draft:
            self.draft.said = None

    async def _grow(self, progress: Progress) -> None:
        if self.unread:
            await self._take_over()
        if self.draft is None:
            await self._begin(progress)
        elif self.draft.kind == "stream":
            await self._append(self.draft, progress)
        else:
            await self._edit(self.draft, progress)

    async def _take_over(self) -> None:
        """What another process has begun goes on in the same message, as one that is edited."""
        draft = await self._live.remembered(self._run.workspace, self._run.id)
        if draft and not draft.ts:
            draft = await self._live.found(draft)
        if draft and draft.kind == "stream":
            await self._live.finishing.stop(draft)
            draft.kind = "post"
        self.draft, self.unread = draft, False

    async def _begin(self, progress: Progress) -> None:
        address, live = self._run.address, self._live
        place = text_of(address.get("channel")), text_of(address.get("thread_ts"))
        to = await self._recipient(*place) if live.streams and place[1] else None
        if to is not None and await self._stream(
            Draft(self._run.id, *place, "stream"), to, progress
        ):
            return
        if progress.text.strip():
            await self._post(Draft(self._run.id, *place, "post"), progress)

    async def _recipient(self, channel: str, thread_ts: str) -> Mapping[str, str] | None:
        """Whom Slack wants named before it streams into a channel; None where nobody is known."""
        if is_direct(channel):
            return {}
        address = self._run.address
        user, team = text_of(address.get("user")), text_of(address.get("team"))
        team = team or await self._live.team()  # a person of another company is of that one's team
        return {"recipient_user_id": user, "recipient_team_id": team} if user and team else None

    async def _stream(self, draft: Draft, to: Mapping[str, str], progress: Progress) -> bool:
        """Whether there is a stream now; False where Slack refuses one."""
        chunks = draft.news(progress)
        if not chunks:
            return True
        await self._remember(draft)
        self.draft = draft
        where = {"channel": draft.channel, "thread_ts": draft.thread_ts, **to}
        try:
            answer = await self._live.api.once("chat.startStream", chunks=chunks, **where)
        except Refused as error:
            self._live.streams &= error.code not in _NO_STREAMS
            self._live.log.info("slack_stream_refused", code=error.code)
            self.draft = None
            return False
        except ChannelUnavailable:
            self.draft = None
            raise
        draft.ts = text_of(answer.get("ts"))
        draft.has(chunks)
        await self._remember(draft)
        return True

    async def _append(self, draft: Draft, progress: Progress) -> None:
        chunks = draft.news(progress)
        if not chunks:
            return
        where = {"channel": draft.channel, "ts": draft.ts}
        try:
            await self._live.api.once("chat.appendStream", chunks=chunks, **where)
        except Refused as error:
            if error.code != "message_not_in_streaming_state":
                raise
            # Slack ends a stream by itself after some minutes.
            draft.kind = "post"
            await self._remember(draft)
            return await self._edit(draft, progress)
        draft.has(chunks)

    async def _post(self, draft: Draft, progress: Progress) -> None:
        await self._remember(draft)
        self.draft = draft
        more: dict[str, Any] = {"thread_ts": draft.thread_ts} if draft.thread_ts else {}
        more["metadata"] = metadata(draft.run_id, mark(draft.run_id), 0)
        try:
            answer = await self._live.api.once(
                "chat.postMessage", channel=draft.channel, **self._looks(progress), **more
            )
        except (Refused, ChannelUnavailable):
            self.draft = None
            raise
        draft.ts = text_of(answer.get("ts"))
        draft.channel = text_of(answer.get("channel")) or draft.channel
        self._pausing = True
        await self._remember(draft)

    async def _edit(self, draft: Draft, progress: Progress) -> None:
        if progress.text.strip():
            where = {"channel": draft.channel, "ts": draft.ts}
            await self._live.api.once("chat.update", **where, **self._looks(progress))
            self._pausing = True

    def _looks(self, progress: Progress) -> dict[str, Any]:
        """Words alone: a server that streams nothing may take none of the newer blocks."""
        part = render(Reply(beginning(progress.text)))[0]
        line = busy_line(progress)
        blocks = [*part.plain, *([line] if line else [])]
        run_id = self._run.id
        return {"text": part.text, "blocks": marked(blocks, run_id, mark(run_id), 0)}

    async def _remember(self, draft: Draft) -> None:
        run = self._run
        await self._live.sources.drafts.put(run.workspace, run.id, run.channel, draft.ref)
