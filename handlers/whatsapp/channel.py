"""One WhatsApp business number: digests, decisions and fixed commands over the Graph API."""

import asyncio
import hmac
import json
from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import httpx
import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot.errors import (
    ChannelError,
    ChannelUnavailable,
    DeliveryUnclear,
    RatchetError,
    StorageError,
)
from bot.kit import ChannelKit, plain
from bot.model.codec import reply_from_json
from bot.model.delivery import Delivery
from bot.model.file import FileRef
from bot.model.run import Run
from bot.ports.channels import Inbox, Route
from bot.ports.clock import Clock
from handlers.whatsapp.incoming import Malformed, read
from handlers.whatsapp.outgoing import bodies, recipient

_LONGEST_BODY = 4_000_000
_OUTSIDE_WINDOW = 131047
_TOO_MANY = {4, 80007, 130429, 131048, 131056}
_BAD_TOKEN = {0, 190}
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class WhatsAppChannel:
    """`named` holds the person ids that the settings name (owners, approvers)."""

    name = "whatsapp"
    push = True

    def __init__(
        self,
        *,
        token: str,
        graph_url: str,
        phone_id: str,
        app_secret: str | None,
        verify_token: str | None,
        inbox: Inbox,
        clock: Clock,
        log: Any,
        named: Collection[str] = (),
    ) -> None:
        self._phone_id, self._secret, self._verify = phone_id, app_secret, verify_token
        self._inbox, self._clock, self._log, self._named = inbox, clock, log, named
        self._url = f"{graph_url.rstrip('/')}/{phone_id}/messages"
        self._client = httpx.AsyncClient(
            headers={"authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(20, connect=5),
            # A proxy of the environment must not stand between this process and its own machine
            trust_env=urlsplit(graph_url).hostname not in _LOOPBACK,
        )
        self._progress: dict[str, list[Mapping[str, object]]] = {}

    @property
    def summary(self) -> str:
        return "webhook at /whatsapp/webhook"

    def routes(self) -> Sequence[Route]:
        return (
            Route("/whatsapp/webhook", ("GET",), self._verification),
            Route("/whatsapp/webhook", ("POST",), self._webhook),
        )

    async def start(self) -> None:
        missing = {
            "WHATSAPP_PHONE_ID": self._phone_id,
            "WHATSAPP_APP_SECRET": self._secret,
            "WHATSAPP_VERIFY_TOKEN": self._verify,
        }
        if names := [name for name, value in missing.items() if not value]:
            self._log.warning("whatsapp_incomplete", missing=", ".join(names))

    async def stop(self) -> None:
        await self._client.aclose()

    def follow(self, run: Run) -> None:
        """No agent answers here."""

    async def fetch(self, workspace: str, file: FileRef, limit: int) -> bytes:
        raise ChannelError("whatsapp holds no files", said="I can't open files from here.")

    async def send(self, delivery: Delivery) -> Mapping[str, object]:
        """A shown message can't be edited here: its successor is a message of its own."""
        to = {"messaging_product": "whatsapp", **recipient(delivery.address)}
        shown = bodies(reply_from_json(delivery.reply))
        done = self._progress.pop(delivery.id, [])
        try:
            for body in shown[len(done) :]:
                done = [*done, await self._post(to | body)]
        except ChannelError:
            if done:  # what is shown already is not shown again
                self._progress[delivery.id] = done
            raise
        return done[-1]

    async def find(self, delivery: Delivery) -> Mapping[str, object] | None:
        raise DeliveryUnclear("WhatsApp does not tell what it has shown")

    async def _post(self, body: Mapping[str, object]) -> Mapping[str, object]:
        try:
            response = await self._client.post(self._url, json=body)
        except _UNSENT as error:
            raise ChannelUnavailable(f"{type(error).__name__}: {error}") from error
        except httpx.HTTPError as error:
            raise DeliveryUnclear(f"{type(error).__name__}: {error}") from error
        try:
            answer = response.json()
            if response.is_success:
                return {"id": str(answer["messages"][0]["id"])}
            fault = answer["error"]
        except (ValueError, LookupError, TypeError) as error:
            raise _unreadable(response) from error
        raise _ours(response, fault if isinstance(fault, dict) else {})

    async def _verification(self, request: Request) -> Response:
        query = request.query_params
        given, wanted = query.get("hub.verify_token", ""), self._verify or ""
        same = hmac.compare_digest(given.encode(), wanted.encode())
        if query.get("hub.mode") != "subscribe" or not wanted or not same:
            return Response("wrong verify token", 403)
        return PlainTextResponse(query.get("hub.challenge", ""))

    async def _webhook(self, request: Request) -> Response:
        body = await request.body()
        if not self._signed(body, request.headers.get("x-hub-signature-256", "")):
            return Response("wrong or missing signature", 401)
        if len(body) > _LONGEST_BODY:
            return Response("too long", 413)
        try:
            messages = read(json.loads(body), self._phone_id, self._named)
        except Malformed as error:
            self._log.warning("whatsapp_webhook_dropped", cause=str(error))
            return Response("not a webhook", 400)
        except (ValueError, RecursionError):
            return Response("not JSON", 400)
        results = await asyncio.gather(*map(self._inbox.accept, messages), return_exceptions=True)
        return self._acknowledged([r for r in results if isinstance(r, BaseException)])

    def _acknowledged(self, failures: Sequence[BaseException]) -> Response:
        for failure in failures:
            if not isinstance(failure, RatchetError):
                raise failure
            self._log.warning("whatsapp_message_not_taken", cause=str(failure))
        if any(isinstance(failure, StorageError) for failure in failures):
            return Response("not recorded, send it again", 503, {"retry-after": "1"})
        return Response(status_code=200)

    def _signed(self, body: bytes, given: str) -> bool:
        if not self._secret:
            return False
        digest = hmac.new(self._secret.encode(), body, sha256).hexdigest()
        return hmac.compare_digest(given.encode(), f"sha256={digest}".encode())


def _unreadable(response: httpx.Response) -> ChannelError:
    cause = f"HTTP {response.status_code} with an answer I can't read"
    if 400 <= response.status_code < 500:
        return ChannelError(cause)
    return DeliveryUnclear(cause)


def _ours(response: httpx.Response, fault: Mapping[str, Any]) -> ChannelError:
    code, status = fault.get("code"), response.status_code
    cause = f"HTTP {status}, code {code}: {fault.get('message', '')}"
    if code == _OUTSIDE_WINDOW:
        return ChannelError(
            f"{cause}. The person last wrote more than 24 hours ago: only an approved utility "
            "template reaches them; they can open the window again by writing."
        )
    if status == 429 or code in _TOO_MANY:
        wait = response.headers.get("retry-after", "")
        return ChannelUnavailable(cause, retry_after=float(wait) if wait.isdigit() else 5.0)
    if status == 401 or code in _BAD_TOKEN:
        return ChannelUnavailable(f"{cause}. Check WHATSAPP_TOKEN.")
    if status >= 500:  # Meta says itself that it failed: nothing was shown
        return ChannelUnavailable(cause)
    return ChannelError(cause)


def make(kit: ChannelKit) -> WhatsAppChannel:
    settings = kit.settings
    return WhatsAppChannel(
        token=plain(settings.whatsapp_token) or "",
        graph_url=settings.whatsapp_graph_url,
        phone_id=settings.whatsapp_phone_id,
        app_secret=plain(settings.whatsapp_app_secret),
        verify_token=plain(settings.whatsapp_verify_token),
        inbox=kit.services.inbox,
        clock=kit.services.clock,
        log=structlog.get_logger("whatsapp"),
        named=kit.named_on("whatsapp"),
    )
