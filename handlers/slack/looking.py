"""What Slack shows already: the messages of a thread or channel, and which of them are ours."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.errors import ChannelError, ChannelUnavailable, DeliveryUnclear
from bot.model.delivery import Delivery
from handlers.slack.api import Api, Refused
from handlers.slack.draft import Draft, drafted, from_ref, unfinished
from handlers.slack.incoming import part_of, text_of
from handlers.slack.outgoing import mark_of

_PAGES = 10
_SKEW = 300
"""Seconds our clock and Slack's may differ when we look for what we posted."""


@dataclass(slots=True)
class Shown:
    """What is shown of a delivery: the ts of each part, and the names of the files after them."""

    channel: str
    parts: dict[int, str] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)


class Looking:
    """Raises ChannelUnavailable while Slack can't be asked, DeliveryUnclear where it lets nobody
    look."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def shown(self, delivery: Delivery) -> Shown:
        """All of a delivery that is there."""
        found = Shown(text_of(delivery.address.get("channel")))
        shared: list[tuple[str, str]] = []
        try:
            if found.channel.startswith(("U", "W")):
                opened = await self._api.call("conversations.open", users=found.channel)
                found.channel = text_of(part_of(opened.get("channel")).get("id"))
            thread_ts = text_of(delivery.address.get("thread_ts"))
            async for message in self._recent(found.channel, thread_ts, delivery.run_id):
                mark, ts = mark_of(message), text_of(message.get("ts"))
                if mark and mark[1] == delivery.id:
                    found.parts[mark[2]] = ts
                shared += [(ts, name) for name in _file_names(message)]
        except Refused as error:
            raise DeliveryUnclear(str(error)) from error
        except ChannelError as error:
            raise ChannelUnavailable(str(error), retry_after=error.retry_after) from error
        since = min(found.parts.values(), default="")
        found.files = {name for ts, name in shared if since and ts > since}
        return found

    async def draft(self, draft: Draft) -> Draft | None:
        """The draft that may or may not be there, with its ts; None where it isn't."""
        going_on = []
        async for message in self._recent(draft.channel, draft.thread_ts, draft.run_id):
            ts, kind = text_of(message.get("ts")), drafted(message, draft.run_id)
            if kind:
                return from_ref(draft.run_id, {**draft.ref, "kind": kind, "ts": ts})
            born = int(ts.partition(".")[0] or 0) >= _born(draft.run_id) - _SKEW
            if draft.kind == "stream" and unfinished(message) and born and not mark_of(message):
                going_on.append(ts)
        if len(going_on) != 1:
            return None
        return from_ref(draft.run_id, {**draft.ref, "ts": going_on[0]})

    async def _recent(
        self, channel: str, thread_ts: str, run_id: str
    ) -> AsyncIterator[Mapping[str, Any]]:
        method = "conversations.replies" if thread_ts else "conversations.history"
        args: dict[str, Any] = {"channel": channel, "limit": 500, "include_all_metadata": True}
        if thread_ts:
            args["ts"] = thread_ts
        for _ in range(_PAGES):
            page = await self._api.call(method, **args)
            messages = [part_of(message) for message in page.get("messages") or ()]
            for message in messages:
                yield message
            if not thread_ts and _older(messages, _born(run_id) - _SKEW):
                return
            cursor = text_of(part_of(page.get("response_metadata")).get("next_cursor"))
            if not cursor:
                return
            args["cursor"] = cursor
        raise DeliveryUnclear("too many messages to look through")


def _file_names(message: Mapping[str, Any]) -> list[str]:
    files = message.get("files")
    return [text_of(part_of(f).get("name")) for f in (files if isinstance(files, list) else ())]


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
