"""Replies shown in Slack: posted once, found again, replaced in place."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.errors import ChannelError, ChannelUnavailable, DeliveryUnclear
from bot.model.codec import reply_from_json
from bot.model.delivery import Delivery
from bot.model.message import Reply
from handlers.slack.api import Api, Refused
from handlers.slack.incoming import is_direct, part_of, text_of
from handlers.slack.outgoing import Part, mark_of, marked, metadata, render

_BLOCKS_REFUSED = {
    "invalid_blocks",
    "invalid_blocks_format",
    "msg_blocks_too_long",
    "invalid_arguments",
}
_NOT_THERE = {"channel_not_found", "not_in_channel", "user_not_in_channel", "is_archived"}
_PAGES = 10
_SKEW = 300
"""Seconds our clock and Slack's may differ when we look for what we posted."""

Ref = Mapping[str, object]


class Sending:
    """`log` is a structlog logger."""

    def __init__(self, api: Api, log: Any) -> None:
        self._api, self._log = api, log
        self._partly: dict[str, dict[int, str]] = {}

    async def send(self, delivery: Delivery) -> Ref:
        """As `Channel.send`. A reply of several messages goes on with those not shown yet."""
        reply = reply_from_json(delivery.reply)
        parts = render(reply)
        if not parts:
            return {}
        if delivery.edits:
            return await self._replace(delivery, parts)
        channel = text_of(delivery.address.get("channel"))
        if not channel:
            raise ChannelError(f"delivery {delivery.id} has no channel to go to")
        if reply.private and not is_direct(channel) and delivery.address.get("user"):
            return await self._whisper(delivery, parts)
        return await self._post(delivery, reply, parts)

    async def find(self, delivery: Delivery) -> Ref | None:
        """As `Channel.find`, by the metadata of our own messages."""
        reply = reply_from_json(delivery.reply)
        parts = render(reply)
        channel = text_of(delivery.address.get("channel"))
        if delivery.edits or not parts:
            return None
        if reply.private and not is_direct(channel):
            raise DeliveryUnclear("Slack lists no ephemeral messages")
        channel, shown = await self._shown(delivery)
        if len(shown) < len(parts):
            self._partly[delivery.id] = shown
            return None
        return _ref(channel, shown)

    async def _post(self, delivery: Delivery, reply: Reply, parts: Sequence[Part]) -> Ref:
        channel = text_of(delivery.address.get("channel"))
        shown = self._partly.pop(delivery.id, {})
        if len(parts) > 1 and delivery.attempts > 1 and not shown:
            _, shown = await self._shown(delivery)
        thread_ts = text_of(delivery.address.get("thread_ts"))
        for number, part in enumerate(parts):
            if number in shown:
                continue
            try:
                answer = await self._show(delivery, channel, thread_ts, number, part)
            except Refused as error:
                if error.code in _NOT_THERE and delivery.address.get("response_url"):
                    return await self._respond(delivery, parts, "in_channel")
                raise
            except ChannelError:
                self._partly[delivery.id] = shown
                raise
            channel = text_of(answer.get("channel")) or channel
            shown[number] = text_of(answer.get("ts"))
        await self._picture(reply, channel, thread_ts)
        return _ref(channel, shown)

    async def _show(
        self, delivery: Delivery, channel: str, thread_ts: str, number: int, part: Part
    ) -> Mapping[str, Any]:
        reply_run = text_of(delivery.reply.get("run_id")) or delivery.run_id
        more: dict[str, Any] = {"thread_ts": thread_ts} if thread_ts else {}
        more |= {"unfurl_links": False, "unfurl_media": False}
        mark = (reply_run, delivery.id, number)
        return await self._with_blocks("chat.postMessage", part, mark, channel=channel, **more)

    async def _with_blocks(
        self, method: str, part: Part, mark: tuple[str, str, int] | None, **args: Any
    ) -> Mapping[str, Any]:
        """Newer blocks, else plain ones, else text: what the server takes."""
        if mark:
            args["metadata"] = metadata(*mark)
        do = self._api.call if method == "chat.update" else self._api.post
        for blocks in (part.blocks, part.plain):
            try:
                shown = marked(blocks, *mark) if mark else list(blocks)
                return await do(method, text=part.text, blocks=shown, **args)
            except Refused as error:
                if error.code not in _BLOCKS_REFUSED:
                    raise
                self._log.warning("slack_blocks_refused", method=method, code=error.code)
        return await do(method, text=part.bare, **args)

    async def _whisper(self, delivery: Delivery, parts: Sequence[Part]) -> Ref:
        """Shown to one person only; where that isn't possible, in a direct message."""
        wanted = ("channel", "user", "thread_ts")
        to: dict[str, Any] = {k: v for k, v in delivery.address.items() if k in wanted and v}
        answer: Mapping[str, Any] = {}
        try:
            for part in parts:
                answer = await self._with_blocks("chat.postEphemeral", part, None, **to)
        except Refused as error:
            if error.code not in _NOT_THERE:
                raise
            if delivery.address.get("response_url"):
                return await self._respond(delivery, parts, "ephemeral")
            person = text_of(delivery.address.get("user"))
            for number, part in enumerate(parts):
                answer = await self._show(delivery, person, "", number, part)
        return {**to, "ephemeral": True, "ts": text_of(answer.get("message_ts"))}

    async def _respond(self, delivery: Delivery, parts: Sequence[Part], kind: str) -> Ref:
        url = text_of(delivery.address.get("response_url"))
        for part in parts[:5]:
            body = {"response_type": kind, "text": part.text, "blocks": list(part.plain)}
            await self._api.respond(url, body)
        return {"channel": delivery.address.get("channel"), "ephemeral": True}

    async def _replace(self, delivery: Delivery, parts: Sequence[Part]) -> Ref:
        edits = delivery.edits or {}
        channel, shown = text_of(edits.get("channel")), _parts(edits)
        if edits.get("ephemeral") or not (channel and shown):
            raise ChannelError("the message to replace can't be edited")
        try:
            await self._rewrite(delivery, channel, shown, parts)
        except DeliveryUnclear as error:
            # Done twice, an edit is the same edit: the sender may simply do it again.
            raise ChannelUnavailable(str(error), retry_after=error.retry_after) from error
        kept = {n: ts for n, ts in shown.items() if n < len(parts)}
        return _ref(channel, kept)

    async def _rewrite(
        self, delivery: Delivery, channel: str, shown: Mapping[int, str], parts: Sequence[Part]
    ) -> None:
        run_id = text_of(delivery.reply.get("run_id")) or delivery.run_id
        for number, ts in shown.items():
            if number < len(parts):
                to, mark = {"channel": channel, "ts": ts}, (run_id, delivery.id, number)
                await self._with_blocks("chat.update", parts[number], mark, **to)
            else:
                await self._api.call("chat.delete", channel=channel, ts=ts)

    async def _picture(self, reply: Reply, channel: str, thread_ts: str) -> None:
        """Best effort: the text is there already, and a picture can't be found again."""
        if not reply.picture:
            return
        try:
            await self._api.upload(channel, thread_ts, reply.picture.png, reply.picture.alt)
        except ChannelError as error:
            self._log.warning("slack_picture_not_shown", error=str(error))

    async def _shown(self, delivery: Delivery) -> tuple[str, dict[int, str]]:
        """The channel, and ts by part of what it shows of this delivery. Raises ChannelUnavailable
        while Slack can't be asked, DeliveryUnclear where it doesn't let us look."""
        channel = text_of(delivery.address.get("channel"))
        thread_ts = text_of(delivery.address.get("thread_ts"))
        shown: dict[int, str] = {}
        try:
            if channel.startswith(("U", "W")):
                opened = await self._api.call("conversations.open", users=channel)
                channel = text_of(part_of(opened.get("channel")).get("id"))
            async for message in self._recent(delivery, channel, thread_ts):
                mark = mark_of(message)
                if mark and mark[1] == delivery.id:
                    shown[mark[2]] = text_of(message.get("ts"))
        except Refused as error:
            raise DeliveryUnclear(str(error)) from error
        except ChannelError as error:
            raise ChannelUnavailable(str(error), retry_after=error.retry_after) from error
        return channel, shown

    async def _recent(self, delivery: Delivery, channel: str, thread_ts: str) -> Any:
        method = "conversations.replies" if thread_ts else "conversations.history"
        args: dict[str, Any] = {"channel": channel, "limit": 500, "include_all_metadata": True}
        if thread_ts:
            args["ts"] = thread_ts
        for _ in range(_PAGES):
            page = await self._api.call(method, **args)
            messages = [part_of(message) for message in page.get("messages") or ()]
            for message in messages:
                yield message
            if not thread_ts and _older(messages, _born(delivery.run_id) - _SKEW):
                return
            cursor = text_of(part_of(page.get("response_metadata")).get("next_cursor"))
            if not cursor:
                return
            args["cursor"] = cursor
        raise DeliveryUnclear("too many messages to look through")


def _ref(channel: str, shown: Mapping[int, str]) -> Ref:
    stamps = [shown[number] for number in sorted(shown)]
    return {"channel": channel, "ts": stamps[0] if stamps else "", "parts": stamps}


def _parts(ref: Mapping[str, object]) -> dict[int, str]:
    stamps = ref.get("parts")
    found = stamps if isinstance(stamps, list) else [ref.get("ts")]
    return {n: ts for n, ts in enumerate(found) if isinstance(ts, str) and ts}


def _older(messages: Sequence[Mapping[str, Any]], since: int) -> bool:
    """Whether the page, newest first, goes back beyond `since` (seconds)."""
    last = text_of(messages[-1].get("ts")).partition(".")[0] if messages else ""
    return last.isdecimal() and int(last) < since


def _born(run_id: str) -> int:
    """Seconds since the epoch at which a UUIDv7 was made; 0 for any other id."""
    digits = run_id.replace("-", "")
    try:
        return int(digits[:12], 16) // 1000 if len(digits) == 32 and digits[12] == "7" else 0
    except ValueError:
        return 0
