"""Replies shown in Slack: posted once, found again, replaced in place."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from bot.errors import ChannelError, ChannelUnavailable, DeliveryUnclear
from bot.model.codec import reply_from_json
from bot.model.delivery import Delivery
from bot.model.message import Reply
from bot.model.run import Run
from handlers.slack.api import Api, Refused
from handlers.slack.draft import Draft
from handlers.slack.finishing import Finishing
from handlers.slack.incoming import is_direct, text_of
from handlers.slack.live import Live, Sources
from handlers.slack.looking import Looking, Shown
from handlers.slack.outgoing import Part, render
from handlers.slack.posting import Posting
from handlers.slack.uploads import Content, Uploads
from handlers.slack.whispering import NOT_THERE, Whispering

_PATIENT = 4
"""Attempts in which a file may follow its text; then it is said that it doesn't."""

Ref = Mapping[str, object]


class Sending:
    """The replies of one workspace. Without `sources` none of them grows; `team` says the
    workspace's id; `content` brings the bytes of files. `log` is a structlog logger."""

    def __init__(
        self,
        api: Api,
        log: Any,
        *,
        sources: Sources | None = None,
        team: Callable[[], Awaitable[str]],
        content: Content | None = None,
    ) -> None:
        self._api, self._log = api, log
        self._posting, self._looking = Posting(api, log), Looking(api)
        self._finishing = Finishing(api, self._posting, log)
        self._uploads = Uploads(api, content)
        self._whispering = Whispering(api, self._posting, self._uploads, log)
        self._live: Live | None = None
        if sources:
            self._live = Live(api, sources, team, self._looking, self._finishing, log)
        self._partly: dict[str, Shown] = {}

    def follow(self, run: Run) -> None:
        """As `Channel.follow`."""
        if self._live:
            self._live.follow(run)

    async def close(self) -> None:
        if self._live:
            await self._live.close()

    async def send(self, delivery: Delivery) -> Ref:
        """As `Channel.send`. A reply of several messages goes on with those not shown yet."""
        try:
            ref = await self._send(delivery)
        except ChannelError as error:
            if self._live and not error.retry:
                self._live.forget(delivery)
            raise
        if self._live:
            self._live.forget(delivery)
        return ref

    async def _send(self, delivery: Delivery) -> Ref:
        reply = reply_from_json(delivery.reply)
        parts = render(reply)
        if delivery.edits:
            return await self._replace(delivery, parts) if parts else {}
        channel = text_of(delivery.address.get("channel"))
        if parts and not channel:
            raise ChannelError(f"delivery {delivery.id} has no channel to go to")
        draft = await self._live.settled(delivery) if self._live else None
        private = reply.private and not is_direct(channel) and delivery.address.get("user")
        if draft and (private or not parts):
            await self._finishing.discard(draft)
        if not parts:
            return {}
        if private:
            return await self._whispering.whisper(delivery, reply, parts)
        return await self._post(delivery, reply, parts, draft)

    async def find(self, delivery: Delivery) -> Ref | None:
        """As `Channel.find`, by the metadata of our own messages."""
        reply = reply_from_json(delivery.reply)
        parts = render(reply)
        channel = text_of(delivery.address.get("channel"))
        if delivery.edits or not parts:
            return None
        if reply.private and not is_direct(channel):
            raise DeliveryUnclear("Slack lists no ephemeral messages")
        shown = await self._looking.shown(delivery)
        files = {upload.name for upload in self._uploads.of(delivery, reply)}
        explained = len(parts) in shown.parts
        if len(shown.parts) < len(parts) or not (explained or files <= shown.files):
            self._partly[delivery.id] = shown
            return None
        return _ref(shown)

    async def _post(
        self, delivery: Delivery, reply: Reply, parts: Sequence[Part], draft: Draft | None
    ) -> Ref:
        shown = await self._before(delivery, reply, parts)
        for number, part in enumerate(parts):
            if number in shown.parts:
                continue
            try:
                await self._show(delivery, shown, number, part, None if number else draft)
            except Refused as error:
                if error.code in NOT_THERE and delivery.address.get("response_url"):
                    return await self._whispering.respond(delivery, reply, parts, "in_channel")
                raise
            except ChannelError:
                self._partly[delivery.id] = shown
                raise
        await self._attach(delivery, reply, parts, shown)
        return _ref(shown)

    async def _before(self, delivery: Delivery, reply: Reply, parts: Sequence[Part]) -> Shown:
        """What an earlier attempt has shown of it."""
        shown = self._partly.pop(delivery.id, None)
        several = len(parts) > 1 or bool(self._uploads.of(delivery, reply))
        if shown is None and several and delivery.attempts > 1:
            shown = await self._looking.shown(delivery)
        return shown or Shown(text_of(delivery.address.get("channel")))

    async def _show(
        self, delivery: Delivery, shown: Shown, number: int, part: Part, draft: Draft | None = None
    ) -> None:
        mark = (text_of(delivery.reply.get("run_id")) or delivery.run_id, delivery.id, number)
        if draft and (ts := await self._finishing.finish(draft, part, mark)):
            shown.channel, shown.parts[number] = draft.channel or shown.channel, ts
            return
        thread_ts = text_of(delivery.address.get("thread_ts"))
        answer = await self._posting.post(shown.channel, thread_ts, part, mark)
        shown.channel = text_of(answer.get("channel")) or shown.channel
        shown.parts[number] = text_of(answer.get("ts"))

    async def _attach(
        self, delivery: Delivery, reply: Reply, parts: Sequence[Part], shown: Shown
    ) -> None:
        """Pictures and files after their text; what doesn't come is told instead."""
        thread_ts, missing = text_of(delivery.address.get("thread_ts")), []
        if len(parts) in shown.parts:
            return
        for upload in self._uploads.of(delivery, reply):
            if upload.name in shown.files:
                continue
            try:
                await self._uploads.share(upload, shown.channel, thread_ts)
            except ChannelError as error:
                if error.retry and delivery.attempts < _PATIENT:
                    # The next attempt looks first: what was shown is not shown again.
                    raise ChannelUnavailable(str(error), retry_after=error.retry_after) from error
                self._log.warning("slack_file_not_shown", name=upload.name, error=str(error))
                missing.append(upload)
        if missing:
            await self._show(delivery, shown, len(parts), self._uploads.excuse(missing))

    async def _replace(self, delivery: Delivery, parts: Sequence[Part]) -> Ref:
        edits = delivery.edits or {}
        shown = Shown(text_of(edits.get("channel")), _parts(edits))
        if edits.get("ephemeral") or not (shown.channel and shown.parts):
            raise ChannelError("the message to replace can't be edited")
        try:
            await self._rewrite(delivery, shown, parts)
        except DeliveryUnclear as error:
            # Done twice, an edit is the same edit: the sender may simply do it again.
            raise ChannelUnavailable(str(error), retry_after=error.retry_after) from error
        shown.parts = {n: ts for n, ts in shown.parts.items() if n < len(parts)}
        return _ref(shown)

    async def _rewrite(self, delivery: Delivery, shown: Shown, parts: Sequence[Part]) -> None:
        run_id = text_of(delivery.reply.get("run_id")) or delivery.run_id
        # A card stands in the last part: where there is less room than before, its beginning goes.
        parts = parts[-len(shown.parts) :]
        for number, ts in shown.parts.items():
            if number < len(parts):
                to, mark = {"channel": shown.channel, "ts": ts}, (run_id, delivery.id, number)
                await self._posting.with_blocks("chat.update", parts[number], mark, **to)
            else:
                await self._api.call("chat.delete", channel=shown.channel, ts=ts)


def _ref(shown: Shown) -> Ref:
    stamps = [shown.parts[number] for number in sorted(shown.parts)]
    return {"channel": shown.channel, "ts": stamps[0] if stamps else "", "parts": stamps}


def _parts(ref: Mapping[str, object]) -> dict[int, str]:
    stamps = ref.get("parts")
    found = stamps if isinstance(stamps, list) else [ref.get("ts")]
    return {n: ts for n, ts in enumerate(found) if isinstance(ts, str) and ts}
