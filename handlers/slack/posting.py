"""One message of ours shown or replaced, in the best form that the server takes."""

from collections.abc import Mapping
from typing import Any

from handlers.slack.api import Api, Refused
from handlers.slack.outgoing import Part, marked, metadata

BLOCKS_REFUSED = {
    "invalid_blocks",
    "invalid_blocks_format",
    "msg_blocks_too_long",
    "invalid_arguments",
    "msg_too_long",
}

Mark = tuple[str, str, int]
"""(run id, delivery id, part): what makes a message findable."""


class Posting:
    """`log` is a structlog logger."""

    def __init__(self, api: Api, log: Any) -> None:
        self._api, self._log = api, log

    async def post(self, channel: str, thread_ts: str, part: Part, mark: Mark) -> Mapping[str, Any]:
        more: dict[str, Any] = {"thread_ts": thread_ts} if thread_ts else {}
        more |= {"unfurl_links": False, "unfurl_media": False}
        return await self.with_blocks("chat.postMessage", part, mark, channel=channel, **more)

    async def with_blocks(
        self, method: str, part: Part, mark: Mark | None, **args: Any
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
                if error.code not in BLOCKS_REFUSED:
                    raise
                self._log.warning("slack_blocks_refused", method=method, code=error.code)
        if method == "chat.update":
            args["blocks"] = []  # else those of before would stay
        return await do(method, text=part.bare, **args)
