"""slack_sdk: the one place that talks to Slack's Web API."""

import logging
import re
from collections.abc import Mapping
from typing import Any

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
from handlers.slack.api import Answer, fault
from handlers.slack.incoming import part_of, text_of

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
        self._session: aiohttp.ClientSession | None = None

    @property
    def proxy(self) -> str | None:
        """The proxy of the environment, unless Slack's server is on this machine."""
        return self.patient.proxy

    def use(self, session: aiohttp.ClientSession) -> None:
        self._session = self.patient.session = self.careful.session = session

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

    async def upload(self, channel: str, thread_ts: str, png: bytes, alt: str) -> None:
        args = {"channel": channel, "thread_ts": thread_ts or None, "alt_txt": alt[:1000]}
        more = {"filename": "picture.png", "file": png, "title": alt[:200] or "Picture"}
        await self._ask(self.careful, "files.upload_v2", {**args, **more})

    async def respond(self, url: str, body: Mapping[str, object]) -> None:
        if self._session is None:
            raise ChannelUnavailable("the channel is not started")
        try:
            async with self._session.post(url, json=body, proxy=self.proxy) as answer:
                if answer.status != 200:
                    raise fault("response_url", answer.status, f"http_{answer.status}", None)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _broken("response_url", error) from error

    async def _ask(self, client: AsyncWebClient, method: str, args: dict[str, Any]) -> Answer:
        try:
            answer = await getattr(client, method.replace(".", "_"))(**args)
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
    cause = f"{method}: {str(error) or type(error).__name__}"
    never_left = isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
    return ChannelUnavailable(cause) if never_left else DeliveryUnclear(cause)
