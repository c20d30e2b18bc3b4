"""Only allowed hosts, only public addresses, hop by hop; only text, and not too much of it."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web

from bot.agents.tools.addresses import host_allowed, public
from bot.agents.tools.fetching import Fetcher
from bot.agents.tools.http_fetch import http_fetch
from bot.agents.tools.readable import readable
from bot.agents.tools.run import call
from bot.errors import ToolError
from tests.bot.agents.tools.house import bare
from tests.conftest import HeldClock

PAGE = """<!doctype html><html><head><title>Rules</title><style>p{}</style>
<script>steal()</script></head><body><h1>House   rules</h1><p>Deploys are on
<b>Thursday</b>.<ul><li>One<li><a href="https://x.test/a">Two</a></ul></body></html>"""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Site:
    """A web server on loopback that answers for every name."""

    def __init__(self) -> None:
        self.port = 0
        self.asked: list[tuple[str, str]] = []

    @asynccontextmanager
    async def running(self, handler: Handler) -> AsyncIterator["Site"]:
        async def watched(request: web.Request) -> web.StreamResponse:
            self.asked.append((request.host, request.path))
            return await handler(request)

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", watched)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]
        try:
            yield self
        finally:
            await runner.cleanup()


class Names:
    """Names and their addresses. Those in `later` change after the first look."""

    def __init__(self, known: dict[str, list[str]], later: dict[str, list[str]] | None = None):
        self.known, self.later, self.looked = known, later or {}, list[str]()

    async def __call__(self, host: str, port: int) -> list[str]:
        source = self.later if host in self.looked and host in self.later else self.known
        self.looked.append(host)
        if host not in source:
            raise OSError("Name or service not known")
        return source[host]


def fetcher(site: Site, names: Names | None = None, *more: str) -> Fetcher:
    """The loopback site plays the public internet; 127.0.0.2 stays private."""
    allow = [f"docs.test:{site.port}", *more]
    names = names or Names({"docs.test": ["127.0.0.1"]})
    return Fetcher(allow, names, permitted=lambda a: a == "127.0.0.1" or public(a))


async def refused(asked: Awaitable[str]) -> str:
    with pytest.raises(ToolError) as raised:
        await asked
    return str(raised.value)


async def test_a_page_is_fetched_as_readable_text() -> None:
    async def page(_: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async with Site().running(page) as site:
        said = await fetcher(site).fetch(f"http://docs.test:{site.port}/rules?a=b#part")

        assert said.startswith(f"HTTP 200 from http://docs.test:{site.port}/rules?a=b")
        assert "# House rules" in said and "Deploys are on Thursday." in said
        assert "- Two (https://x.test/a)" in said
        assert "steal" not in said and "p{}" not in said
        assert site.asked == [(f"docs.test:{site.port}", "/rules")]


async def test_head_gives_the_headers_alone() -> None:
    async def page(_: web.Request) -> web.Response:
        return web.Response(text="12345", content_type="application/zip")

    async with Site().running(page) as site:
        said = await fetcher(site).fetch(f"http://docs.test:{site.port}/", "HEAD")

    assert said.endswith("(application/zip)\ncontent-length: 5")


async def test_an_error_page_is_information_too() -> None:
    async def page(_: web.Request) -> web.Response:
        return web.json_response({"no": "such page"}, status=404)

    async with Site().running(page) as site:
        said = await fetcher(site).fetch(f"http://docs.test:{site.port}/")

    assert said.startswith("HTTP 404") and '{"no": "such page"}' in said


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://other.test/", "not among the hosts"),
        ("http://docs.test/", "not among the hosts"),
        ("http://docs.test.evil.test:{port}/", "not among the hosts"),
        ("http://evil.test#docs.test:{port}/", "not among the hosts"),
        ("http://docs.test:{port}@evil.test/", "user name or password"),
        ("http://me:pw@docs.test:{port}/", "user name or password"),
        ("ftp://docs.test/", "https:// or http://"),
        ("file:///etc/passwd", "https:// or http://"),
        ("gopher://docs.test:{port}/", "https:// or http://"),
        ("docs.test/page", "https:// or http://"),
        ("http://[::1", "no web address"),
        ("http://docs.test:99999/", "not among the hosts"),
    ],
)
async def test_what_may_not_be_fetched_is_said(url: str, says: str) -> None:
    async def page(_: web.Request) -> web.Response:
        return web.Response(text="never")

    async with Site().running(page) as site:
        said = await refused(fetcher(site).fetch(url.replace("{port}", str(site.port))))

        assert says in said
        assert site.asked == []


async def test_without_an_allow_list_nothing_is_fetched() -> None:
    said = await refused(Fetcher(()).fetch("https://docs.test/"))

    assert "RATCHET_HTTP_ALLOW" in said


async def test_the_tool_fetches_nothing_from_inside_whatever_is_allowed() -> None:
    ctx = replace(bare(HeldClock()), http_allow=("127.0.0.1", "localhost"))

    for url in ("http://127.0.0.1/", "http://localhost/", "http://169.254.169.254/"):
        with pytest.raises(ToolError):
            await call(http_fetch, ctx, json.dumps({"url": url}))


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fd00:ec2::254"],
)
async def test_an_allowed_name_that_leads_inside_is_refused(address: str) -> None:
    names = Names({"docs.test": [address], "mixed.test": ["93.184.216.34", address]})
    careful = Fetcher(["docs.test", "mixed.test"], names)

    for name in ("docs.test", "mixed.test"):
        assert "private network" in await refused(careful.fetch(f"http://{name}/"))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "2130706433", "0x7f.1", "127.1", "localhost", "0.0.0.0"]
)
async def test_an_allowed_private_address_is_refused_all_the_same(host: str) -> None:
    said = await refused(Fetcher([host.strip("[]"), host]).fetch(f"http://{host}/"))

    assert "private network" in said or "no host" in said or "no web address" in said


async def test_a_name_that_changes_after_the_check_leads_nowhere_else() -> None:
    names = Names({"docs.test": ["127.0.0.1"]}, later={"docs.test": ["127.0.0.2"]})

    async def page(_: web.Request) -> web.Response:
        return web.Response(text="once")

    async with Site().running(page) as site:
        careful = fetcher(site, names)
        assert "once" in await careful.fetch(f"http://docs.test:{site.port}/")
        assert names.looked == ["docs.test"]
        assert "private network" in await refused(
            careful.fetch(f"http://docs.test:{site.port}/again")
        )
        assert len(site.asked) == 1


@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("http://other.test/", "not among the hosts"),
        ("//other.test/", "not among the hosts"),
        ("http://inside.test/", "private network"),
        ("http://127.0.0.2/", "not among the hosts"),
        ("http://169.254.169.254/latest/meta-data", "not among the hosts"),
        ("file:///etc/passwd", "https:// or http://"),
        ("http://me:pw@docs.test/", "user name or password"),
        ("http://[", "not among the hosts"),
    ],
)
async def test_every_redirect_is_checked_again(location: str, says: str) -> None:
    names = Names({"docs.test": ["127.0.0.1"], "inside.test": ["127.0.0.2"]})

    async def page(_: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": location})

    async with Site().running(page) as site:
        careful = fetcher(site, names, "inside.test")

        assert says in await refused(careful.fetch(f"http://docs.test:{site.port}/"))
        assert len(site.asked) == 1


async def test_a_few_redirects_are_followed_and_many_are_not() -> None:
    async def page(request: web.Request) -> web.Response:
        left = int(request.path.strip("/"))
        if not left:
            return web.Response(text="arrived")
        return web.Response(status=301, headers={"Location": f"/{left - 1}"})

    async with Site().running(page) as site:
        start = f"http://docs.test:{site.port}"
        assert "arrived" in await fetcher(site).fetch(f"{start}/3")
        assert "more than 3 times" in await refused(fetcher(site).fetch(f"{start}/4"))


async def test_only_text_is_fetched() -> None:
    async def page(_: web.Request) -> web.Response:
        return web.Response(body=b"\x89PNG", content_type="image/png")

    async with Site().running(page) as site:
        said = await refused(fetcher(site).fetch(f"http://docs.test:{site.port}/"))

    assert "image/png" in said


async def test_an_endless_page_is_cut() -> None:
    async def page(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 65_536)
        except (ConnectionError, asyncio.CancelledError):
            return response

    async with Site().running(page) as site:
        said = await fetcher(site).fetch(f"http://docs.test:{site.port}/")

    assert said.endswith("… cut at 1,000,000 bytes")


async def test_a_bomb_unpacks_no_further_than_the_limit() -> None:
    bomb = gzip.compress(b"0" * 50_000_000)

    async def page(_: web.Request) -> web.Response:
        headers = {"Content-Encoding": "gzip", "Content-Type": "text/plain"}
        return web.Response(body=bomb, headers=headers)

    async with Site().running(page) as site:
        said = await fetcher(site).fetch(f"http://docs.test:{site.port}/")

    assert len(said) < 1_001_000 and "cut at" in said


@pytest.mark.parametrize("coding", ["br", "gzip"])
async def test_what_can_not_be_unpacked_is_said(coding: str) -> None:
    async def page(_: web.Request) -> web.Response:
        headers = {"Content-Encoding": coding, "Content-Type": "text/plain"}
        return web.Response(body=b"not packed at all", headers=headers)

    async with Site().running(page) as site:
        assert "packed" in await refused(fetcher(site).fetch(f"http://docs.test:{site.port}/"))


async def test_a_server_that_is_gone_or_talks_nonsense_is_said() -> None:
    async def nonsense(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello?\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(nonsense, "127.0.0.1", 0)
    site = Site()
    site.port = server.sockets[0].getsockname()[1]
    async with server:
        url = f"http://docs.test:{site.port}/"
        assert "could not be fetched" in await refused(fetcher(site).fetch(url))
    assert "could not be fetched" in await refused(fetcher(site).fetch(url))


async def test_an_unknown_name_is_said() -> None:
    assert "no host" in await refused(
        Fetcher(["nowhere.test"], Names({})).fetch("http://nowhere.test/")
    )


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.53", "169.254.169.254",
        "172.16.0.1", "192.0.0.192", "192.168.1.1", "198.18.0.1", "224.0.0.1", "255.255.255.255",
        "168.63.129.16", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254",
        "ff02::1", "fec0::1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
        "2002:7f00:1::", "2002:a9fe:a9fe::1", "64:ff9b::a9fe:a9fe", "64:ff9b::7f00:1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2", "not an address", "",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not public(address)


@pytest.mark.parametrize(
    "address",
    ["93.184.216.34", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"],
)
def test_addresses_that_are_public(address: str) -> None:
    assert public(address)


@pytest.mark.parametrize(
    ("entry", "scheme", "host", "port", "allowed"),
    [
        ("docs.test", "https", "docs.test", None, True),
        ("docs.test", "https", "DOCS.test.", None, True),
        ("Docs.Test", "http", "docs.test", 80, True),
        ("docs.test", "https", "docs.test", 8443, False),
        ("docs.test:8443", "https", "docs.test", 8443, True),
        ("docs.test:8443", "https", "docs.test", None, False),
        ("docs.test", "https", "www.docs.test", None, False),
        ("*.docs.test", "https", "www.docs.test", None, True),
        ("*.docs.test", "https", "docs.test", None, False),
        ("*.docs.test", "https", "evildocs.test", None, False),
        ("docs.test:port", "https", "docs.test", None, False),
        ("*", "https", "docs.test", None, False),
    ],
)
def test_what_an_entry_allows(
    entry: str, scheme: str, host: str, port: int | None, allowed: bool
) -> None:
    assert host_allowed([entry], scheme, host, port) is allowed


@pytest.mark.parametrize("html", ["", "<", "<![if", "<p>a<script>b", "&#0;&bogus;", "</a></a>x"])
def test_malformed_pages_are_read_as_far_as_they_go(html: str) -> None:
    assert "b" not in readable(html) or "bogus" in readable(html)
