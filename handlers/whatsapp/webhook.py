"""The webhook of one WhatsApp number: Meta's first call, signatures, bodies within limits."""

import hmac
import json
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot.errors import RatchetError, StorageError
from bot.ports.channels import Route
from handlers.deliveries import whole
from handlers.whatsapp.incoming import Event, Malformed, read

PATH = "/whatsapp/webhook"


class Webhook:
    def __init__(
        self,
        phone_id: str,
        app_secret: str | None,
        verify_token: str | None,
        hear: Callable[[Event], Awaitable[None]],
        log: Any,
    ) -> None:
        self._phone_id, self._secret, self._verify = phone_id, app_secret, verify_token
        self._hear, self._log = hear, log

    def routes(self) -> Sequence[Route]:
        return (Route(PATH, ("GET",), self._verification), Route(PATH, ("POST",), self._post))

    async def _verification(self, request: Request) -> Response:
        query = request.query_params
        given, wanted = query.get("hub.verify_token", ""), self._verify or ""
        same = hmac.compare_digest(given.encode(), wanted.encode())
        if query.get("hub.mode") != "subscribe" or not wanted or not same:
            return Response("wrong verify token", 403)
        return PlainTextResponse(query.get("hub.challenge", ""))

    async def _post(self, request: Request) -> Response:
        given = request.headers.get("x-hub-signature-256", "")
        if not self._secret or not given.startswith("sha256="):
            return Response("wrong or missing signature", 401)
        body = await whole(request)
        if isinstance(body, Response):
            return body
        if not self._signed(body, given):
            return Response("wrong or missing signature", 401)
        try:
            events = read(json.loads(body), self._phone_id)
        except Malformed as error:
            self._log.warning("whatsapp_webhook_dropped", cause=str(error))
            return Response("not a webhook", 400)
        except (ValueError, RecursionError):
            return Response("not JSON", 400)
        return self._acknowledged([f for e in events if (f := await self._failure(e)) is not None])

    async def _failure(self, event: Event) -> RatchetError | None:
        """One that can't be taken must not keep the others out."""
        try:
            await self._hear(event)
        except RatchetError as error:
            self._log.warning("whatsapp_event_not_taken", cause=str(error))
            return error
        return None

    def _acknowledged(self, failures: Sequence[RatchetError]) -> Response:
        if any(isinstance(failure, StorageError) for failure in failures):
            return Response("not recorded, send it again", 503, {"retry-after": "1"})
        return Response(status_code=200)

    def _signed(self, body: bytes, given: str) -> bool:
        digest = hmac.new((self._secret or "").encode(), body, sha256).hexdigest()
        return hmac.compare_digest(given.encode(), f"sha256={digest}".encode())
