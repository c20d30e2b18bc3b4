"""Replies that one person sees, and answers where the bot itself is no member."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from bot.errors import ChannelError, DeliveryUnclear
from bot.model.delivery import Delivery
from bot.model.message import Reply
from handlers.slack.api import Api, Refused
from handlers.slack.incoming import text_of
from handlers.slack.outgoing import Part, image, notice
from handlers.slack.posting import BLOCKS_REFUSED, Posting
from handlers.slack.uploads import Upload, Uploads

NOT_THERE = {"channel_not_found", "not_in_channel", "user_not_in_channel", "is_archived"}
_RESPONSES = 5
"""How often Slack takes something at one response_url."""
_PROCESSING = (0.3, 0.7, 1.5)
"""Seconds after which a file that was just uploaded may be ready to be shown."""

Ref = Mapping[str, object]


class Whispering:
    """`log` is a structlog logger."""

    def __init__(self, api: Api, posting: Posting, uploads: Uploads, log: Any) -> None:
        self._api, self._posting, self._uploads, self._log = api, posting, uploads, log
        self._told = dict[str, int]()
        """How many parts of a delivery were shown before Slack wanted a pause."""

    async def whisper(self, delivery: Delivery, reply: Reply, parts: Sequence[Part]) -> Ref:
        """Shown to one person only; where that isn't possible, in a direct message."""
        wanted = ("channel", "user", "thread_ts")
        to: dict[str, Any] = {k: v for k, v in delivery.address.items() if k in wanted and v}
        uploads = self._uploads.of(delivery, reply)
        answer: Mapping[str, Any] = {}
        try:
            for number, part in enumerate(parts):
                if number >= self._told.get(delivery.id, 0):
                    answer = await self._posting.with_blocks("chat.postEphemeral", part, None, **to)
                    self._told[delivery.id] = number + 1
        except Refused as error:
            self._told.pop(delivery.id, None)
            if error.code not in NOT_THERE:
                raise
            if delivery.address.get("response_url"):
                return await self.respond(delivery, reply, parts, "ephemeral")
            await self._directly(delivery, parts)
        except DeliveryUnclear:
            self._told.pop(delivery.id, None)
            raise
        self._told.pop(delivery.id, None)
        left = [upload for upload in uploads if not await self._shown(upload, to)]
        if left and (words := await self._sent(delivery, left)):
            await self._quietly(words, to)
        return {**to, "ephemeral": True, "ts": text_of(answer.get("message_ts"))}

    async def respond(
        self, delivery: Delivery, reply: Reply, parts: Sequence[Part], kind: str
    ) -> Ref:
        """At the response_url of what was pressed or typed; files in a direct message."""
        url = text_of(delivery.address.get("response_url"))
        uploads = self._uploads.of(delivery, reply)
        for part in parts[: _RESPONSES - bool(uploads)]:
            await self._api.respond(url, _answer(kind, part))
        if uploads and (words := await self._sent(delivery, uploads)):
            try:
                await self._api.respond(url, _answer("ephemeral", notice(words)))
            except ChannelError as error:
                self._log.info("slack_not_told", error=str(error))
        return {"channel": delivery.address.get("channel"), "ephemeral": True}

    async def _shown(self, upload: Upload, to: Mapping[str, Any]) -> bool:
        """Whether the person sees the picture, as a message that only they see."""
        if not upload.is_picture:
            return False
        try:
            shown = image(await self._uploads.hide(upload), upload.alt)
            for pause in (*_PROCESSING, None):
                try:
                    await self._api.post(
                        "chat.postEphemeral", text=shown.text, blocks=list(shown.blocks), **to
                    )
                    return True
                except Refused as error:
                    if error.code not in BLOCKS_REFUSED or pause is None:
                        raise
                    await asyncio.sleep(pause)
        except ChannelError as error:
            self._log.info("slack_picture_not_whispered", error=str(error))
        return False

    async def _sent(self, delivery: Delivery, uploads: Sequence[Upload]) -> str:
        """Sends files in a direct message; the words that say where they are, or that they are
        not."""
        person, missing = text_of(delivery.address.get("user")), []
        for upload in uploads:
            try:
                if not person:
                    raise ChannelError("nobody to send it to")
                await self._uploads.share(upload, person, "")
            except ChannelError as error:
                self._log.warning("slack_file_not_sent", name=upload.name, error=str(error))
                missing.append(upload)
        if missing:
            return self._uploads.excuse(missing).bare
        return "What belongs to it is in our direct messages."

    async def _quietly(self, words: str, to: Mapping[str, Any]) -> None:
        try:
            await self._posting.with_blocks("chat.postEphemeral", notice(words), None, **to)
        except ChannelError as error:
            self._log.info("slack_not_told", error=str(error))

    async def _directly(self, delivery: Delivery, parts: Sequence[Part]) -> None:
        person = text_of(delivery.address.get("user"))
        run_id = text_of(delivery.reply.get("run_id")) or delivery.run_id
        for number, part in enumerate(parts):
            await self._posting.post(person, "", part, (run_id, delivery.id, number))


def _answer(kind: str, part: Part) -> dict[str, object]:
    return {"response_type": kind, "text": part.text, "blocks": list(part.plain)}
