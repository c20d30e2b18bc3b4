"""Who may come in: the API key for /v1, and for the page the owner at this machine or the key."""

import hashlib
import hmac
import ipaddress
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from handlers.web.faults import HttpFault, fault_response

_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
KEY_COOKIE = "ratchet_key"


class ApiKey:
    """The one key of this installation."""

    def __init__(self, key: str):
        self._key = key.encode()
        self._badge = hmac.new(self._key, b"ratchet page", hashlib.sha256).hexdigest()

    @property
    def badge(self) -> str:
        """What the page's cookie carries in the key's place; a new key makes it worthless."""
        return self._badge

    def matches(self, given: str) -> bool:
        return bool(self._key) and hmac.compare_digest(given.encode("utf-8", "replace"), self._key)

    def admits(self, connection: HTTPConnection) -> bool:
        scheme, _, given = connection.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self.matches(given.strip())

    def knows(self, connection: HTTPConnection) -> bool:
        """Whether the page was opened with the key before."""
        badge = connection.cookies.get(KEY_COOKIE, "")
        return bool(self._key) and hmac.compare_digest(badge.encode(), self._badge.encode())


class KeyGuard:
    """ASGI middleware: nothing under /v1 is reached without the key."""

    def __init__(self, app: ASGIApp, key: ApiKey):
        self._app, self._key = app, key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        guarded = scope["type"] == "http" and (scope["path"] + "/").startswith("/v1/")
        if not guarded or self._key.admits(HTTPConnection(scope)):
            return await self._app(scope, receive, send)
        await fault_response(_no_key())(scope, receive, send)


def _no_key() -> HttpFault:
    return HttpFault(
        401,
        "invalid_api_key",
        "A valid API key is needed: Authorization: Bearer <RATCHET_API_KEY>.",
        headers={"www-authenticate": "Bearer"},
    )


class PageDoor:
    """Decides who may use the page.

    Listening on loopback, a browser at this machine is the owner. A foreign Host header there is
    DNS rebinding and is turned away; what a proxy forwarded may come from anywhere and needs the
    key, as does everything where the server listens on another address.
    """

    def __init__(self, key: ApiKey, host: str):
        self._key, self._loopback = key, is_loopback(host)

    def trusts(self, request: Request) -> bool:
        """Whether it is the person at this machine."""
        peer = request.client.host if request.client else ""
        local = self._loopback and is_loopback(peer) and is_loopback(_host_name(request))
        return local and not _is_forwarded(request)

    def admits(self, request: Request) -> bool:
        """Raises HttpFault 421 where the Host header can't be ours; False asks for the key."""
        if self._loopback and not is_loopback(_host_name(request)) and not _is_forwarded(request):
            said = "This server is not known by that name. Open it by its own address."
            raise HttpFault(421, "unknown_host", said)
        return self.trusts(request) or self._key.knows(request)

    def check_origin(self, request: Request) -> None:
        """Raises HttpFault 403 for a form that another site's page sent."""
        site = request.headers.get("sec-fetch-site", "same-origin")
        origin = request.headers.get("origin")
        ours = origin is None or urlsplit(origin).netloc == request.headers.get("host")
        if site not in ("same-origin", "none") or not ours:
            raise HttpFault(403, "cross_site", "This form was sent by another site's page.")


def form_token(chat: str) -> str:
    """Ties a page's forms to its cookie, which no other site can read; survives a restart."""
    return hashlib.sha256(f"ratchet form {chat}".encode()).hexdigest()[:32]


def is_loopback(host: str) -> bool:
    if host.lower().rstrip(".") == "localhost" or host.lower().endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _host_name(request: Request) -> str:
    try:
        return urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    except ValueError:
        return ""


def _is_forwarded(request: Request) -> bool:
    return any(name in request.headers for name in _FORWARDED)
