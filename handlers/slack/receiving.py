"""Bolt: what comes over either transport is checked, and finds its listener."""

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt import BoltResponse
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.listener.async_listener_start_handler import AsyncListenerStartHandler
from slack_sdk.web.async_client import AsyncWebClient
from starlette.requests import Request
from starlette.responses import Response

from bot.errors import RatchetError
from bot.ports.clock import Clock
from handlers.deliveries import whole
from handlers.slack.hearing import PROMPT
from handlers.slack.incoming import SUBSCRIBED, Body, text_of
from handlers.slack.signing import is_signed

_MALFORMED = (ValueError, TypeError, AttributeError, LookupError, RecursionError)
_BEGUN = "begun"

Listener = Callable[..., Awaitable[None]]


class _Begun(AsyncListenerStartHandler):
    """Marks that a listener of ours has it: what fails earlier is the payload's own fault."""

    async def handle(self, request: AsyncBoltRequest, response: BoltResponse | None) -> None:
        request.context[_BEGUN] = True


class Receiving:
    """`events` are the listeners by event type; what is subscribed to besides goes to `other`.
    `doors` are those of "command", "action", "shortcut" and "view"."""

    def __init__(
        self,
        *,
        signing_secret: str,
        clock: Clock,
        client: AsyncWebClient,
        events: Mapping[str, Listener],
        other: Listener,
        doors: Mapping[str, Listener],
        logger: logging.Logger,
        log: Any,
    ) -> None:
        self._secret, self._clock, self._log = signing_secret, clock, log
        self._handling: set[asyncio.Task[Any]] = set()
        self._app = AsyncApp(
            name="ratchet",
            logger=logger,
            client=client,
            authorize=_nobody,
            signing_secret=signing_secret,
            # The route has checked the signature, over the raw bytes and with our own clock.
            request_verification_enabled=False,
            # The listener decides: Slack hears "received" only after the run log has it.
            process_before_response=True,
            attaching_conversation_kwargs_enabled=False,
        )
        for event in SUBSCRIBED:
            self._app.event(event)(events.get(event, other))
        everything = re.compile(".*", re.DOTALL)
        self._app.command(everything)(doors["command"])
        self._app.block_action(everything)(doors["action"])
        self._app.message_shortcut(everything)(doors["shortcut"])
        self._app.view_submission(everything)(doors["view"])
        self._app.error(self._failed)
        self._app.listener_runner.listener_start_handler = _Begun()

    async def drain(self) -> None:
        """Lets what is being handled finish, for a moment."""
        if self._handling:
            await asyncio.wait(self._handling, timeout=PROMPT)

    async def over_http(self, request: Request) -> Response:
        body = await whole(request)
        if isinstance(body, Response):
            return body
        stamp = request.headers.get("x-slack-request-timestamp", "")
        signature = request.headers.get("x-slack-signature", "")
        if not is_signed(self._secret, stamp, signature, body, self._clock.now()):
            self._log.warning("slack_request_not_signed", bytes=len(body))
            return Response(status_code=401)
        try:
            asked = AsyncBoltRequest(
                body=body.decode(),
                headers=dict(request.headers),
                context={"delivery_id": signature},
            )
            _check(asked.body)
        except _MALFORMED as error:
            self._log.warning("slack_request_malformed", error=str(error))
            return Response(status_code=400)
        status, answer, kind = await self._dispatch(asked)
        return Response(answer, status, media_type=kind)

    async def over_socket(
        self, payload: Mapping[str, Any], envelope_id: str
    ) -> tuple[bool, Mapping[str, object] | None]:
        try:
            asked = AsyncBoltRequest(
                mode="socket_mode", body=dict(payload), context={"delivery_id": envelope_id}
            )
            _check(asked.body)
        except _MALFORMED as error:
            self._log.warning("slack_request_malformed", error=str(error))
            return True, None
        status, answer, _ = await self._dispatch(asked)
        return status in (200, 400), _object(answer) if status == 200 else None

    async def _dispatch(self, asked: AsyncBoltRequest) -> tuple[int, str, str | None]:
        """What nobody listens to is acknowledged too: Slack would only send it again."""
        work = asyncio.ensure_future(self._app.async_dispatch(asked))
        self._handling.add(work)
        work.add_done_callback(self._handling.discard)
        try:
            answer = await asyncio.shield(work)
        except _MALFORMED as error:  # Bolt's own readers trip over some payloads
            self._log.warning("slack_request_malformed", error=str(error))
            return 400, "", None
        if answer.status == 404:
            self._log.info("slack_request_unknown", kind=text_of(asked.body.get("type")))
            return 200, "", None
        kind = answer.headers.get("content-type", [None])[0]
        return (503 if answer.status >= 500 else answer.status), answer.body or "", kind

    async def _failed(
        self, error: Exception, body: dict[str, Any], context: Mapping[str, Any]
    ) -> BoltResponse | None:
        cause = str(error) or type(error).__name__
        if isinstance(error, RatchetError | TimeoutError):
            self._log.warning("slack_delivery_not_taken", error=cause, kind=body.get("type"))
        elif isinstance(error, _MALFORMED) and not context.get(_BEGUN):
            self._log.warning("slack_request_malformed", error=cause)
            return BoltResponse(status=400)
        else:
            self._log.error("slack_delivery_failed", error=cause, exc_info=error)
        return None


async def _nobody() -> AuthorizeResult:
    """Bolt is given no token: each listener finds the team itself, and uses that team's only."""
    return AuthorizeResult(enterprise_id=None, team_id=None)


def _check(body: Body) -> None:
    if not isinstance(body, dict) or not body:
        raise ValueError("the body is not an object")
    if "event" in body and not isinstance(body["event"], dict):
        raise ValueError("the event is not an object")


def _object(answer: str) -> Mapping[str, object] | None:
    try:
        found = json.loads(answer)
    except ValueError:
        return None
    return found if isinstance(found, dict) and found else None
