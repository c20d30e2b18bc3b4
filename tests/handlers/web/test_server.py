"""The server itself: its health, its port, its end."""

import asyncio

import httpx
import pytest

from bot.errors import ChannelError, ConfigError, Held
from bot.model.delivery import Delivery
from tests.fakes.answering_inbox import Answer
from tests.handlers.web.conftest import KEY, Site


async def test_health_and_readiness_need_no_key(site: Site, browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/healthz")).json() == {"status": "ok"}
    assert (await browser.get("/readyz")).status_code == 200
    assert (await browser.head("/healthz")).status_code == 200
    site.is_ready = False
    waiting = await browser.get("/readyz")
    assert waiting.status_code == 503 and waiting.json()["reason"]
    assert (await browser.get("/healthz")).status_code == 200


async def test_a_taken_port_is_named(site: Site) -> None:
    assert site.web is not None
    with pytest.raises(Held, match="in use") as caught:
        await site.channel(port=site.web.port).start()
    assert str(site.web.port) in caught.value.said and "RATCHET_PORT" in caught.value.said


async def test_an_address_of_another_machine_is_named(site: Site) -> None:
    with pytest.raises(ConfigError) as caught:
        await site.channel(host="192.0.2.1").start()
    assert "RATCHET_HOST" in caught.value.said


async def test_other_channels_paths_are_served(browser: httpx.AsyncClient) -> None:
    response = await browser.post("/other/hook", content=b"ping", headers={"host": "any.test"})
    assert response.text == "ping"
    assert (await browser.get("/other/hook")).status_code == 405


async def test_unknown_paths_are_errors_in_one_shape(http: httpx.AsyncClient) -> None:
    missing = await http.get("/v1/nothing")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "http_404")
    assert (await http.delete("/v1/runs")).status_code == 405
    assert (await http.get("/docs")).status_code == 404


async def test_the_end_waits_for_no_open_page(site: Site, http: httpx.AsyncClient) -> None:
    assert site.web is not None
    site.inbox.script["slow"] = Answer(waits=asyncio.Event())
    started = await http.post("/v1/runs", json={"message": "slow"})
    run_id = started.json()["run_id"]
    async with (
        http.stream("GET", f"/v1/runs/{run_id}/events") as events,
        http.stream("GET", "/chat/cards") as cards,
    ):
        lines = cards.aiter_lines()
        await anext(lines)
        await site.web.stop()
        assert [line async for line in lines if line] == []
        assert "done" not in "".join([line async for line in events.aiter_lines()])


async def test_on_another_address_the_page_asks_for_the_key(site: Site) -> None:
    web = site.channel(host="0.0.0.0")
    await web.start()
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{web.port}") as client:
            assert (await client.get("/")).status_code == 401
            assert (await client.get("/chat/cards")).status_code == 401
            await client.post("/login", data={"key": KEY})
            assert (await client.get("/")).status_code == 200
    finally:
        await web.stop()


async def test_nothing_is_sent_to_the_web(site: Site) -> None:
    assert site.web is not None and not site.web.push
    assert site.web.url in site.web.summary
    with pytest.raises(ChannelError):
        await site.web.send(Delivery("d", "local", "r", "web", {}, {}))
