"""A growing answer becomes the answer: in the same message, with the same words once too often."""

from typing import Any

from bot.errors import ChannelUnavailable, DeliveryUnclear
from handlers.slack.api import Api, Refused
from handlers.slack.draft import Draft
from handlers.slack.outgoing import Part, marked, metadata
from handlers.slack.posting import Mark, Posting

GONE = {"message_not_found", "thread_not_found"}


class Finishing:
    """Whatever it does may be done again: done twice, it shows the same."""

    def __init__(self, api: Api, posting: Posting, log: Any) -> None:
        self._api, self._posting, self._log = api, posting, log

    async def finish(self, draft: Draft, part: Part, mark: Mark) -> str:
        """The ts of the message that shows the part now; "" where there is none any more.

        Raises ChannelUnavailable: again later.
        """
        try:
            if draft.kind == "stream" and await self._completed(draft, part, mark):
                return draft.ts
            await self._posting.with_blocks(
                "chat.update", part, mark, channel=draft.channel, ts=draft.ts
            )
            return draft.ts
        except Refused as error:
            self._log.info("slack_draft_not_finished", cause=str(error))
            if error.code not in GONE:
                await self.discard(draft)
            return ""
        except DeliveryUnclear as error:
            raise ChannelUnavailable(str(error), retry_after=error.retry_after) from error

    async def discard(self, draft: Draft) -> None:
        """Takes it away; what can't be taken away stays."""
        try:
            if draft.kind == "stream":
                await self.stop(draft)
            await self._api.call("chat.delete", channel=draft.channel, ts=draft.ts)
        except Refused as error:
            self._log.info("slack_draft_left", cause=str(error))
        except DeliveryUnclear as error:
            raise ChannelUnavailable(str(error), retry_after=error.retry_after) from error

    async def stop(self, draft: Draft) -> None:
        """No stream any more, whatever it says. Raises ChannelUnavailable."""
        draft.said = None
        try:
            await self._api.call("chat.stopStream", channel=draft.channel, ts=draft.ts)
        except Refused as error:
            if error.code in GONE:
                raise
            self._log.debug("slack_stream_not_stopped", cause=str(error))
        except DeliveryUnclear as error:
            raise ChannelUnavailable(str(error), retry_after=error.retry_after) from error

    async def _completed(self, draft: Draft, part: Part, mark: Mark) -> bool:
        """Whether the stream was stopped with exactly what the part shows."""
        first, *more = part.blocks or ({},)
        text, tail = (
            (str(first["text"]), more) if first.get("type") == "markdown" else ("", part.blocks)
        )
        chunks = draft.rest(text)
        if chunks is not None:
            try:
                await self._api.post(
                    "chat.stopStream",
                    channel=draft.channel,
                    ts=draft.ts,
                    chunks=chunks or None,
                    blocks=marked(tail, *mark) or None,
                    metadata=metadata(*mark),
                )
                return True
            except Refused as error:
                if error.code in GONE:
                    raise
                self._log.info("slack_stream_over", cause=str(error))
            except DeliveryUnclear as error:
                self._log.info("slack_stream_unclear", cause=str(error))
        await self.stop(draft)
        return False
