"""The chat page, as a browser and as an attacker see it."""

import asyncio
import html
import re
from collections.abc import Mapping
from dataclasses import replace

import httpx

from bot.events import CARDS
from bot.model.codec import reply_to_json
from bot.model.message import Button, Card, Field, Picture, Reply
from bot.model.run import RunStatus
from bot.ports.channels import Event
from tests.fakes.answering_inbox import Answer
from tests.handlers.web.conftest import KEY, Site

HX = {"hx-request": "true"}
CARD = Reply(
    "",
    card=Card("Be kinder", "Two answers were curt.", (Field("Expected", "+4 %"),), "-a\n+b", "P1"),
    buttons=(
        Button("Approve", "/approve P1", "primary"),
        Button("Decline", "/decline P1", "danger", asks="Why not?"),
    ),
)

DECIDED = Reply("", card=Card("Be kinder", ref="P1", status="Approved by owner, 2026-11-20"))


async def token(browser: httpx.AsyncClient) -> str:
    page = await browser.get("/")
    assert page.status_code == 200
    found = re.search(r'id="token" name="token" value="([0-9a-f]+)"', page.text)
    assert found
    return found[1]


async def say(
    browser: httpx.AsyncClient,
    text: str,
    id: str = "0123456789ab",
    headers: Mapping[str, str] = HX,
    **more: str,
) -> httpx.Response:
    fields = {"token": await token(browser), "id": id, "text": text, **more}
    return await browser.post("/chat/say", data=fields, headers=dict(headers))


async def shown(browser: httpx.AsyncClient) -> str:
    return html.unescape((await browser.get("/")).text)


async def settled(site: Site) -> None:
    for run in await site.runs.recent("local", limit=50):
        await site.inbox.wait("local", run.id, 5)


async def test_only_what_has_a_notice_shows_one(site: Site, browser: httpx.AsyncClient) -> None:
    assert "notice" not in (await browser.get("/")).text
    channel = site.channel(notice="<Made up>")
    await channel.start()
    async with httpx.AsyncClient(base_url=channel.url) as other:
        assert "&lt;Made up&gt;" in (await other.get("/")).text
    await channel.stop()


async def test_a_message_is_answered_and_survives_a_reload(
    site: Site, browser: httpx.AsyncClient
) -> None:
    gate = asyncio.Event()
    site.inbox.script["hello"] = Answer("You said: hello", waits=gate)
    answer = await say(browser, "hello")
    assert "hello" in answer.text and "hx-sse:connect" in answer.text
    gate.set()
    message = site.inbox.messages[0]
    assert (message.channel, message.workspace) == ("web", "local")
    assert message.sender.trusted_local and message.conversation.startswith("web:")
    await settled(site)
    page = await shown(browser)
    run = (await site.runs.recent("local"))[0]
    assert "You said: hello" in page and run.short in page
    assert "generalist v1" in page and "$0.0004" in page


async def test_a_double_submit_is_one_run(site: Site, browser: httpx.AsyncClient) -> None:
    first = await say(browser, "once", id="aaaaaaaaaaaa")
    second = await say(browser, "once", id="aaaaaaaaaaaa")
    assert len(site.inbox.messages) == 1
    assert re.findall(r"run-[0-9a-f-]+", first.text)[0] in second.text
    other = await say(browser, "something else", id="aaaaaaaaaaaa")
    assert other.status_code == 422


async def test_the_answer_streams_and_ends(site: Site, browser: httpx.AsyncClient) -> None:
    gate = asyncio.Event()
    site.inbox.script["slow"] = Answer("**all** of it", deltas=["**all**", " of"], waits=gate)
    await say(browser, "slow")
    run = (await site.runs.recent("local"))[0]
    lines: list[str] = []
    async with browser.stream("GET", f"/chat/runs/{run.id}/events") as stream:
        async for line in stream.aiter_lines():
            lines.append(line)
            if "<strong>all</strong> of" in line:
                gate.set()
    assert lines[0].startswith(":") and "event: done" in lines
    final = await browser.get(f"/chat/runs/{run.id}")
    assert "<strong>all</strong> of it" in final.text and "/rate" in final.text


async def test_a_stream_of_a_closed_run_ends_at_once(
    site: Site, browser: httpx.AsyncClient
) -> None:
    await say(browser, "hello")
    await settled(site)
    run = (await site.runs.recent("local"))[0]
    stream = await browser.get(f"/chat/runs/{run.id}/events")
    assert "event: done" in stream.text


async def test_without_scripts_the_form_still_works(site: Site, browser: httpx.AsyncClient) -> None:
    answer = await say(browser, "plain", headers={})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    await settled(site)
    assert "You said: plain" in await shown(browser)


async def test_thumbs_stay_on_what_they_rate(site: Site, browser: httpx.AsyncClient) -> None:
    await say(browser, "hello")
    await settled(site)
    run = (await site.runs.recent("local"))[0]
    fields = {"token": await token(browser), "id": "bbbbbbbbbbbb", "button": "1"}
    rated = await browser.post(
        "/chat/rate", data={**fields, "text": f"/rate {run.id} down"}, headers=HX
    )
    assert "What should have been different?" in rated.text
    assert 'aria-label="Could be better" aria-pressed="true"' in rated.text
    assert site.inbox.messages[-1].is_button
    assert "said command" not in await shown(browser)
    assert 'aria-pressed="true"' in await shown(browser)
    await say(browser, f"/better {run.id}", id="cccccccccccc", extra="Use metric units", button="1")
    assert site.inbox.messages[-1].text == f"/better {run.id} Use metric units"
    await settled(site)
    page = await shown(browser)
    assert f"/better {run.short} Use metric units" in page
    assert "What should have been different?" not in page


async def test_a_card_shows_its_diff_and_asks(site: Site, browser: httpx.AsyncClient) -> None:
    site.inbox.script["/proposals"] = Answer(reply=CARD)
    await say(browser, "/proposals")
    await settled(site)
    site.cards.append(CARD)
    page = await shown(browser)
    assert '<span class="added">+b</span>' in page and '<span class="removed">-a</span>' in page
    assert 'value="/approve P1"' in page and "Why not?" in page and "+4 %" in page
    assert page.count('data-card="P1"') == 1
    site.cards[0] = DECIDED
    decided = await shown(browser)
    assert "Approved by owner" in decided and 'value="/approve P1"' not in decided


async def test_cards_that_wait_are_shown_to_whoever_comes(
    site: Site, browser: httpx.AsyncClient
) -> None:
    site.cards.append(CARD)
    assert 'value="/approve P1"' in await shown(browser)


async def test_what_waits_is_headed_and_in_order(site: Site, browser: httpx.AsyncClient) -> None:
    assert "Waiting for your decision" not in await shown(browser)
    site.cards += [Reply("", card=Card("c", ref=ref)) for ref in ("P10", "P9", "P2")]
    page = await shown(browser)
    places = [page.index(f'data-card="{ref}"') for ref in ("P2", "P9", "P10")]
    assert sorted([page.index("Waiting for your decision"), *places])[1:] == places


async def test_an_edit_begins_with_what_is_proposed(site: Site, browser: httpx.AsyncClient) -> None:
    edit = Button("Edit", "/edit P1", asks="What instead?", value="</textarea>Be kind.")
    site.cards.append(replace(CARD, buttons=(edit,)))
    assert ">&lt;/textarea&gt;Be kind.</textarea>" in (await browser.get("/")).text


async def test_new_cards_reach_an_open_page(site: Site, browser: httpx.AsyncClient) -> None:
    await token(browser)
    async with browser.stream("GET", "/chat/cards") as stream:
        lines = stream.aiter_lines()
        await anext(lines)
        while not site.events.watched(CARDS):
            await asyncio.sleep(0)
        site.events.publish(Event("", "card", {"key": "P1", "reply": reply_to_json(CARD)}))
        seen = ""
        while "</section>" not in seen:
            seen += await anext(lines)
    assert "event: card" in seen and "Be kinder" in seen


async def test_a_picture_is_shown_in_place(site: Site, browser: httpx.AsyncClient) -> None:
    site.inbox.script["/metrics"] = Answer(
        reply=Reply("Numbers", picture=Picture(b"\x89PNG", "a b"))
    )
    await say(browser, "/metrics")
    await settled(site)
    page = await shown(browser)
    assert 'src="data:image/png;base64,iVBORw=="' in page and 'alt="a b"' in page


async def test_what_people_and_models_write_is_never_markup(
    site: Site, browser: httpx.AsyncClient
) -> None:
    bad = (
        "<script>alert(1)</script> <img src=x onerror=alert(1)> [x](javascript:alert(1)) "
        '![y](https://evil.test/p.png) [ok](https://a.test/?q="><script>)\n\n<b hx-get=/x>z</b>'
    )
    card = Card(bad, bad, (Field(bad, bad),), f"+{bad}", '"><script>', "")
    site.inbox.script[bad] = Answer(
        reply=Reply(bad, card=card, buttons=(Button(bad, '"><script>', asks=bad),))
    )
    await say(browser, bad)
    await settled(site)
    page = (await browser.get("/")).text
    body = page[page.index("<main>") : page.index("</main>")]
    assert "<script" not in body and "<img src=x" not in body and "<b hx" not in body
    assert 'href="javascript' not in body and 'src="https://evil' not in body


async def test_a_running_answer_can_be_stopped(site: Site, browser: httpx.AsyncClient) -> None:
    site.inbox.script["slow"] = Answer(waits=asyncio.Event())
    await say(browser, "slow")
    run = (await site.runs.recent("local"))[0]
    fields = {"token": await token(browser)}
    assert (await browser.post(f"/chat/runs/{run.id}/stop", data=fields)).status_code == 204
    assert (await site.inbox.wait("local", run.id, 5)).status is RunStatus.CANCELLED


async def test_a_new_chat_is_empty(site: Site, browser: httpx.AsyncClient) -> None:
    await say(browser, "hello")
    await settled(site)
    back = await browser.post("/chat/new", data={"token": await token(browser)})
    assert back.status_code == 303
    assert "You said" not in await shown(browser)


async def test_nobody_sees_anothers_conversation(
    site: Site, browser: httpx.AsyncClient, http: httpx.AsyncClient
) -> None:
    await say(browser, "mine")
    await settled(site)
    run = (await site.runs.recent("local"))[0]
    other = httpx.AsyncClient(base_url=site.url)
    async with other:
        await other.get("/")
        assert (await other.get(f"/chat/runs/{run.id}")).status_code == 404
        assert (await other.get(f"/chat/runs/{run.id}/events")).status_code == 404


async def test_other_sites_cannot_speak_for_the_owner(
    site: Site, browser: httpx.AsyncClient
) -> None:
    fields = {"token": await token(browser), "id": "0123456789ab", "text": "/approve P1"}
    hostile: list[dict[str, str]] = [
        {"origin": "https://evil.test"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"host": "evil.test"},
        {"host": "127.0.0.1.evil.test"},
        {"host": "evil.test", "origin": "http://evil.test"},
        {"x-forwarded-for": "203.0.113.9"},
    ]
    for headers in hostile:
        response = await browser.post("/chat/say", data=fields, headers=headers)
        assert response.status_code in (401, 403, 421), headers
    for wrong in ({**fields, "token": "0" * 32}, {**fields, "token": ""}):
        assert (await browser.post("/chat/say", data=wrong)).status_code == 403
    async with httpx.AsyncClient(base_url=site.url) as without_cookie:
        assert (await without_cookie.post("/chat/say", data=fields)).status_code == 403
    json_body = await browser.post("/chat/say", json=fields)
    assert json_body.status_code == 415
    assert not site.inbox.messages
    own = {"origin": site.url, "sec-fetch-site": "same-origin"}
    assert (await browser.post("/chat/say", data=fields, headers=own)).status_code == 303


async def test_a_name_that_is_not_ours_is_turned_away(browser: httpx.AsyncClient) -> None:
    for host in ("evil.test", "evil.test:8420", "", "[::1", "127.0.0.1.nip.io"):
        for path in ("/", "/chat/cards", "/chat/runs/x/events"):
            response = await browser.get(path, headers={"host": host})
            assert response.status_code in (400, 421), (host, path)
    for host in ("localhost:9", "127.0.0.1", "[::1]:8420"):
        assert (await browser.get("/", headers={"host": host})).status_code == 200


async def test_what_a_proxy_forwards_needs_the_key(site: Site, browser: httpx.AsyncClient) -> None:
    proxied = {"x-forwarded-for": "203.0.113.9", "host": "ratchet.test"}
    assert (await browser.get("/", headers=proxied)).status_code == 401
    wrong = await browser.post("/login", data={"key": "wrong"}, headers=proxied)
    assert wrong.status_code == 401 and "not the key" in wrong.text
    right = await browser.post("/login", data={"key": KEY}, headers=proxied)
    cookie = right.headers["set-cookie"]
    assert right.status_code == 303 and KEY not in cookie
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie
    jar = {**proxied, "cookie": cookie.partition(";")[0]}
    page = await browser.get("/", headers=jar)
    assert page.status_code == 200
    chat = page.headers["set-cookie"].partition(";")[0]
    found = re.search(r'id="token" name="token" value="([0-9a-f]+)"', page.text)
    assert found
    jar["cookie"] += f"; {chat}"
    fields = {"token": found[1], "id": "0123456789ab", "text": "hello"}
    assert (await browser.post("/chat/say", data=fields, headers=jar)).status_code == 303
    assert not site.inbox.messages[0].sender.trusted_local


async def test_the_page_needs_nothing_from_elsewhere(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert not re.search(r'(src|href)="(https?:)?//', page.text)
    for path in re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text):
        found = await browser.get(path)
        assert found.status_code == 200, path
        again = await browser.get(path, headers={"if-none-match": found.headers["etag"]})
        assert again.status_code == 304
    for path in ("/static/../channel.py", "/static/%2e%2e%2fauth.py", "/static/chat.html"):
        assert (await browser.get(path)).status_code == 404


async def test_forms_that_make_no_sense_are_refused(site: Site, browser: httpx.AsyncClient) -> None:
    for text, id in (
        ("", "0123456789ab"),
        ("  ", "0123456789ab"),
        ("x\0y", "0123456789ab"),
        ("x", ""),
        ("x", "a b"),
        ("x", "é" * 12),
    ):
        assert (await say(browser, text, id)).status_code == 400
    form = {"content-type": "application/x-www-form-urlencoded"}
    raw = await browser.post("/chat/say", content=b"text=%ff&token=1", headers=form)
    assert raw.status_code in (400, 403)
    assert not site.inbox.messages
