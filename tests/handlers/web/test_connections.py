"""Connections that send a request's head without end, or too slowly."""

import asyncio

import httpx

from handlers.web.server import HEAD_BYTES, HEAD_SECONDS, BoundedProtocol
from tests.handlers.web.conftest import Site

HEAD = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"


async def answers(site: Site, *sent: bytes) -> bytes:
    """Everything the server says until it closes the connection."""
    assert site.web is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", site.web.port)
    try:
        for data in sent:
            writer.write(data)
            await writer.drain()
        return await reader.read()
    except ConnectionError:
        return b"closed"
    finally:
        writer.close()


async def test_a_head_without_end_is_refused(site: Site, browser: httpx.AsyncClient) -> None:
    part = b"a" * 65536
    for beginning in (HEAD + b"X-Long: ", b"GET /"):
        said = await answers(site, beginning, *[part] * (HEAD_BYTES // len(part) + 8))
        assert said == b"closed" or said.startswith(b"HTTP/1.1 4")
    assert (await browser.get("/healthz")).status_code == 200


async def test_a_large_body_is_no_large_head(site: Site, http: httpx.AsyncClient) -> None:
    """Two requests in one stream: the second one's head comes with the first one's body."""
    body = b'{"message": "' + b"a" * 900_000 + b'"}'
    first = (
        b"POST /v1/runs HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: "
        + http.headers["authorization"].encode()
        + b"\r\nContent-Length: %d\r\n\r\n" % len(body)
    )
    said = await answers(site, first + body + HEAD, b"Connection: close\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 202") and b"HTTP/1.1 200" in said


async def test_a_head_has_its_time(site: Site) -> None:
    """The timer is set for a new connection and for a next request, and ends with its head."""
    assert site.web is not None
    loop = asyncio.get_running_loop()
    made: list[BoundedProtocol] = []
    server = vars(site.web)["_server"]
    reader, writer = await asyncio.open_connection("127.0.0.1", site.web.port)
    writer.write(HEAD)
    await writer.drain()
    while not made:
        await asyncio.sleep(0.001)
        made = [c for c in server.server_state.connections if vars(c).get("_within_head")]
    timer: asyncio.TimerHandle = vars(made[0])["_waiting"]
    assert 0 < timer.when() - loop.time() <= HEAD_SECONDS
    writer.write(b"\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    assert timer.cancelled() and vars(made[0])["_waiting"] is None
    writer.write(HEAD)
    while vars(made[0])["_waiting"] is None:
        await asyncio.sleep(0.001)
    vars(made[0])["_waiting"]._run()  # as the loop will
    rest = await reader.read()
    assert b"HTTP/1.1 408" in rest
    writer.close()
