"""Files that people send: from the configured server only, and never more than asked for."""

from typing import Any
from urllib.parse import urlsplit

import httpx

from bot.errors import ChannelError, ChannelUnavailable, DeliveryUnclear
from handlers.telegram.bot_api import BotApi

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_CHUNK = 64 * 1024


class Downloads:
    """`base` is what every file's address begins with; it ends with the token and a slash."""

    def __init__(self, api: BotApi, base: str) -> None:
        self._api, self._base = api, base
        trusts = urlsplit(base).hostname not in _LOOPBACK
        self._options: dict[str, Any] = {"trust_env": trusts, "follow_redirects": False}

    async def fetch(self, file_id: str, limit: int) -> bytes:
        """Raises ChannelError with words for the person, or ChannelUnavailable."""
        url = await self._url(file_id, limit)
        pieces, size = [], 0
        try:
            async with (
                httpx.AsyncClient(timeout=20, **self._options) as client,
                client.stream("GET", url) as response,
            ):
                _check(response.status_code)
                async for piece in response.aiter_bytes(_CHUNK):
                    size += len(piece)
                    if size > limit:
                        raise too_large(limit)
                    pieces.append(piece)
        except (httpx.HTTPError, httpx.InvalidURL) as error:  # its text may hold the token
            raise ChannelUnavailable(f"the file did not come: {type(error).__name__}") from None
        return b"".join(pieces)

    async def _url(self, file_id: str, limit: int) -> str:
        try:
            url, size = await self._api.file_at(file_id)
        except ChannelUnavailable:
            raise
        except DeliveryUnclear as error:
            raise ChannelUnavailable(str(error)) from error
        except ChannelError as error:
            if "too big" in str(error).lower():
                raise too_large(limit) from error
            raise _lost(str(error)) from error
        if size > limit:
            raise too_large(limit)
        path = url.removeprefix(self._base)
        # A server that names another place for it, or one on this machine, is not followed
        if path == url or {"", ".", ".."} & set(path.split("/")):
            raise _lost("the file is not where files are")
        return url


def too_large(limit: int) -> ChannelError:
    most = f"{limit / 1_000_000:.0f} MB" if limit >= 1_000_000 else f"{limit // 1000} kB"
    said = f"That file is too large for me: I take up to {most} on Telegram."
    return ChannelError("the file is too large", said=said)


def _check(status: int) -> None:
    if status == 429 or status >= 500:
        raise ChannelUnavailable(f"the file did not come: {status}")
    if status != 200:
        raise _lost(f"the file did not come: {status}")


def _lost(cause: str) -> ChannelError:
    said = "I couldn't get that file from Telegram. Please send it again."
    return ChannelError(cause, said=said)
