"""A careful HTTP client: allowed hosts, public addresses, few redirects, bounded, text only."""

import asyncio
import socket
import zlib
from collections.abc import Awaitable, Callable, Sequence

import httpx

from bot.agents.tools import addresses
from bot.agents.tools.readable import readable
from bot.errors import ToolError

_MAX_REDIRECTS = 3
_MAX_BYTES = 1_000_000
_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_TEXT_TYPES = frozenset(
    {
        "application/json",
        "application/javascript",
        "application/ld+json",
        "application/x-ndjson",
        "application/x-yaml",
        "application/xhtml+xml",
        "application/xml",
        "application/yaml",
        "application/toml",
    }
)

Resolve = Callable[[str, int], Awaitable[list[str]]]


async def resolve(host: str, port: int) -> list[str]:
    """Every address of the name, in the order the system prefers."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in found))


class Fetcher:
    """Each hop is checked by name, resolved once, checked by address, and connected to at that
    very address: a name that resolves differently a moment later leads nowhere else."""

    def __init__(
        self,
        allow: Sequence[str],
        resolve: Resolve = resolve,
        permitted: Callable[[str], bool] = addresses.public,
    ) -> None:
        self._allow, self._resolve, self._permitted = allow, resolve, permitted

    async def fetch(self, url: str, method: str = "GET") -> str:
        """Status line, final address and readable text. Raises ToolError."""
        # No proxy from the environment: it would resolve the name anew.
        async with httpx.AsyncClient(
            timeout=_TIMEOUT, follow_redirects=False, trust_env=False
        ) as client:
            target = _parsed(url)
            for _ in range(_MAX_REDIRECTS + 1):
                request = await self._pinned(client, target, method)
                answer = await _hop(client, request, target)
                if isinstance(answer, str):
                    return answer
                target = answer
        raise ToolError(f"That address redirects more than {_MAX_REDIRECTS} times.")

    async def _pinned(
        self, client: httpx.AsyncClient, target: httpx.URL, method: str
    ) -> httpx.Request:
        host = target.raw_host.decode("ascii")
        self._check_name(target, host)
        port = target.port or (443 if target.scheme == "https" else 80)
        address = await self._address(host, port)
        return client.build_request(
            method,
            target.copy_with(host=address, fragment=None),
            headers={
                "Host": target.netloc.decode("ascii"),
                "User-Agent": "Ratchet (http_fetch)",
                "Accept": "text/*, application/json, application/xml;q=0.9",
                "Accept-Encoding": "identity",
            },
            extensions={"sni_hostname": host},
        )

    def _check_name(self, target: httpx.URL, host: str) -> None:
        if not self._allow:
            raise ToolError(
                "No host may be fetched yet. The owner can allow some in RATCHET_HTTP_ALLOW."
            )
        if not addresses.host_allowed(self._allow, target.scheme, host, target.port):
            raise ToolError(
                f"{host} is not among the hosts that may be fetched: {', '.join(self._allow)}. "
                "The owner can allow it in RATCHET_HTTP_ALLOW."
            )

    async def _address(self, host: str, port: int) -> str:
        try:
            found = await self._resolve(host.strip("[]"), port)
        except (OSError, OverflowError, UnicodeError) as error:
            raise ToolError(f"There is no host {host}: {error}.") from error
        # One private address among public ones is a trap, not a choice.
        if not found or not all(self._permitted(address) for address in found):
            raise ToolError(f"{host} leads into a private network; that is not fetched.")
        return found[0]


def _parsed(url: str | httpx.URL) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise ToolError(f"That is no web address: {error}.") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ToolError("Only addresses that begin with https:// or http:// are fetched.")
    if parsed.userinfo:
        raise ToolError("An address with a user name or password in it is not fetched.")
    return parsed


async def _hop(
    client: httpx.AsyncClient, request: httpx.Request, target: httpx.URL
) -> httpx.URL | str:
    """Where it redirects to, or what it says."""
    try:
        response = await client.send(request, stream=True)
        try:
            location = response.headers.get("location", "")
            if response.is_redirect and location:
                return _parsed(_joined(target, location))
            return await _said(response, target)
        finally:
            await response.aclose()
    except httpx.HTTPError as error:
        why = str(error) or type(error).__name__
        raise ToolError(f"{target} could not be fetched: {why}.") from error


def _joined(target: httpx.URL, location: str) -> httpx.URL:
    try:
        return target.join(location)
    except (httpx.InvalidURL, ValueError) as error:
        raise ToolError(f"It redirects to what is no web address: {error}.") from error


async def _said(response: httpx.Response, target: httpx.URL) -> str:
    kind = response.headers.get("content-type", "text/plain").partition(";")[0].strip().lower()
    head = f"HTTP {response.status_code} from {target} ({kind})"
    if response.request.method == "HEAD":
        length = response.headers.get("content-length", "unknown")
        return f"{head}\ncontent-length: {length}"
    if not (kind.startswith("text/") or kind in _TEXT_TYPES or kind.endswith(("+json", "+xml"))):
        raise ToolError(f"{target} is {kind or 'of no known type'}; only text is fetched.")
    body, whole = await _body(response)
    text = _decoded(body, response.charset_encoding)
    if kind in ("text/html", "application/xhtml+xml"):
        # Half a second of parsing at worst: not on the loop.
        text = await asyncio.to_thread(readable, text)
    return f"{head}\n\n{text}" + ("" if whole else f"\n… cut at {_MAX_BYTES:,} bytes")


async def _body(response: httpx.Response) -> tuple[bytes, bool]:
    """At most 1 MB, counted after unpacking, and whether that is all of it."""
    coding = response.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("", "identity", "gzip", "deflate"):
        raise ToolError(f"It is packed as {coding}, which is not fetched.")
    unpack = zlib.decompressobj(47) if coding in ("gzip", "deflate") else None
    body = bytearray()
    async for chunk in response.aiter_raw():
        room = _MAX_BYTES - len(body)
        try:
            body += unpack.decompress(chunk, room + 1) if unpack else chunk[: room + 1]
        except zlib.error as error:
            raise ToolError(f"What it sent can't be unpacked: {error}.") from error
        if len(body) > _MAX_BYTES:
            return bytes(body[:_MAX_BYTES]), False
    return bytes(body), True


def _decoded(body: bytes, charset: str | None) -> str:
    try:
        return body.decode(charset or "utf-8", "replace")
    except (LookupError, UnicodeError):
        return body.decode("utf-8", "replace")
