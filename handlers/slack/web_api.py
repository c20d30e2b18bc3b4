"""slack_sdk: the one place that talks to Slack's Web API."""

import logging
import re
from base64 import b64encode
from collections.abc import Awaitable, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError, SlackRequestError
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import ChannelError, ChannelUnavailable, DeliveryUnclear
from handlers.slack.api import Answer, Download, Refused, TooLong, fault
from handlers.slack.incoming import part_of, text_of

_REDIRECTS, _WHOLE_FILE = 3, 120.0

TIMEOUT = 15.0
"""Seconds for one request."""


class _ShortWait(AsyncRateLimitErrorRetryHandler):
    """Sits out a short 429; a long one goes back to the outbox, which waits without blocking."""

    async def _can_retry_async(self, **args: Any) -> bool:
        response = args["response"]
        if response is None or response.status_code != 429:
            return False
        found = [v for k, v in response.headers.items() if k.lower() == "retry-after"]
        asked = found[0] if found else "1"
        seconds = asked if isinstance(asked, str) else next(iter(asked), "1")
        return seconds.isdigit() and int(seconds) <= 3


class SlackApi:
    """`api.Api` over slack_sdk: errors become ours, posts are never blindly repeated."""

    def __init__(self, token: str, base_url: str, logger: logging.Logger) -> None:
        def client(*handlers: AsyncRetryHandler) -> AsyncWebClient:
            made = AsyncWebClient(
                token, base_url, timeout=int(TIMEOUT), logger=logger, retry_handlers=[*handlers]
            )
            if re.match(r"https?://(localhost|127\.|\[::1\])", base_url):
                made.proxy = None  # slack_sdk takes HTTP_PROXY for this machine too
            return made

        self.patient = client(
            _ShortWait(max_retry_count=2),
            AsyncServerErrorRetryHandler(max_retry_count=2),
            AsyncConnectionErrorRetryHandler(),
        )
        self.careful = client(_ShortWait(max_retry_count=2))
        self.brief = client()
        self._token, self._homes = token, homes(base_url)
        self._session: aiohttp.ClientSession | None = None

    @property
    def proxy(self) -> str | None:
        """The proxy of the environment, unless Slack's server is on this machine."""
        return self.patient.proxy

    def use(self, session: aiohttp.ClientSession) -> None:
        self._session = self.patient.session = self.careful.session = session
        self.brief.session = session

    def for_requests(self) -> AsyncWebClient:
        """A client without a token, for what wants one and shall not use it."""
        like = self.patient
        return AsyncWebClient(base_url=like.base_url, timeout=like.timeout, logger=like.logger)

    async def call(self, method: str, **args: Any) -> Answer:
        return await self._ask(self.patient, method, args)

    async def post(self, method: str, **args: Any) -> Answer:
        return await self._ask(self.careful, method, args)

    async def connection_url(self, app_token: str) -> str:
        """A websocket address for Socket Mode, asked for with the app token."""
        args = {"app_token": app_token}
        return text_of((await self._ask(self.careful, "apps.connections.open", args)).get("url"))

    async def once(self, method: str, **args: Any) -> Answer:
        return await self._ask(self.brief, method, args)

    async def exchange(self, client_id: str, client_secret: str, code: str) -> Answer:
        """oauth.v2.access: a code is good for one token, so it is never tried twice."""
        args = {"client_id": client_id, "client_secret": client_secret, "code": code}
        basic = b64encode(f"{client_id}:{client_secret}".encode()).decode()
        # The client's own method for it makes use of what aiohttp is about to drop.
        asking = self.careful.api_call(
            "oauth.v2.access", data=args, headers={"Authorization": f"Basic {basic}"}
        )
        return await self._answer("oauth.v2.access", asking)

    async def store(self, name: str, content: bytes, alt: str) -> str:
        args = {"filename": name, "length": len(content), "alt_txt": alt[:1000] or None}
        place = await self._ask(self.patient, "files.getUploadURLExternal", args)
        url, file_id = text_of(place.get("upload_url")), text_of(place.get("file_id"))
        if not (url and file_id):
            raise Refused("files.getUploadURLExternal", "no_upload_url")
        await self._put(url, content)
        return file_id

    async def _put(self, url: str, content: bytes) -> None:
        """Bytes that arrive twice are the same bytes."""
        method = "upload_url"
        try:
            async with self._open().post(url, data=content, proxy=self.proxy) as answer:
                if answer.status != 200:
                    raise fault(method, answer.status, f"http_{answer.status}", _asked(answer))
        except DeliveryUnclear as error:
            raise ChannelUnavailable(str(error), retry_after=error.retry_after) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ChannelUnavailable(f"{method}: {_cause(error)}") from error

    async def download(self, url: str, limit: int) -> Download:
        for _ in range(_REDIRECTS):
            if not url.startswith(self._homes):
                raise Refused("download", "not_at_slack")
            found = await self._get(url, limit)
            if isinstance(found, Download):
                return found
            url = found
        raise Refused("download", "too_many_redirects")

    async def _get(self, url: str, limit: int) -> Download | str:
        """The file, or where the server says that it is."""
        headers = {"Authorization": f"Bearer {self._token}"}
        patience = aiohttp.ClientTimeout(total=_WHOLE_FILE, sock_connect=5, sock_read=TIMEOUT)
        asked: Any = {"headers": headers, "allow_redirects": False, "proxy": self.proxy}
        asked["timeout"] = patience
        try:
            async with self._open().get(url, **asked) as answer:
                if answer.status in (301, 302, 303, 307, 308):
                    return urljoin(url, answer.headers.get("Location", ""))
                if answer.status != 200:
                    code = "" if answer.status >= 500 else f"http_{answer.status}"
                    raise fault("download", answer.status, code, _asked(answer))
                kind = answer.content_type.lower()
                return Download(await _bounded(answer, limit), kind)
        except DeliveryUnclear as error:
            raise ChannelUnavailable(str(error), retry_after=error.retry_after) from error
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise ChannelUnavailable(f"download: {_cause(error)}") from error

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise ChannelUnavailable("the channel is not started")
        return self._session

    async def respond(self, url: str, body: Mapping[str, object]) -> None:
        try:
            async with self._open().post(url, json=body, proxy=self.proxy) as answer:
                if answer.status != 200:
                    raise fault("response_url", answer.status, f"http_{answer.status}", None)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _broken("response_url", error) from error

    async def _ask(self, client: AsyncWebClient, method: str, args: dict[str, Any]) -> Answer:
        return await self._answer(method, getattr(client, method.replace(".", "_"))(**args))

    async def _answer(self, method: str, asking: Awaitable[Any]) -> Answer:
        try:
            answer = await asking
        except SlackApiError as error:
            raise _refusal(method, error) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _broken(method, error) from error
        except (SlackRequestError, AttributeError, TypeError, ValueError) as error:
            raise DeliveryUnclear(f"{method}: not an answer of Slack's: {error}") from error
        return part_of(answer.data)


def _refusal(method: str, error: SlackApiError) -> ChannelError:
    response: Any = error.response
    data = getattr(response, "data", None)
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0))
    asked = getattr(response, "headers", {}).get("Retry-After", "")
    code = text_of(part_of(data).get("error"))
    return fault(method, status, code, float(asked) if asked.isdigit() else None)


def _broken(method: str, error: Exception) -> ChannelError:
    cause = f"{method}: {_cause(error)}"
    never_left = isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
    return ChannelUnavailable(cause) if never_left else DeliveryUnclear(cause)


def homes(base_url: str) -> tuple[str, ...]:
    """The beginnings of the addresses that Slack's files have, where the API is at `base_url`."""
    api = urlsplit(base_url)
    name = (api.hostname or "").removeprefix("www.")
    at_its_side = (f"https://files.{name}/",) if name.startswith("slack") else ()
    return (f"{api.scheme}://{api.netloc}/", "https://files.slack.com/", *at_its_side)


async def _bounded(answer: aiohttp.ClientResponse, limit: int) -> bytes:
    """The body; more than `limit` bytes are not even read."""
    pieces, size = [], 0
    if (answer.content_length or 0) > limit:
        raise TooLong(f"a file of {answer.content_length} bytes")
    async for piece in answer.content.iter_chunked(1 << 16):
        size += len(piece)
        if size > limit:
            raise TooLong(f"a file of more than {limit} bytes")
        pieces.append(piece)
    return b"".join(pieces)


def _asked(answer: aiohttp.ClientResponse) -> float | None:
    """The seconds that the other side asked for."""
    seconds = answer.headers.get("Retry-After", "")
    return float(seconds) if seconds.isdecimal() else None


def _cause(error: Exception) -> str:
    return str(error) or type(error).__name__
