"""More workspaces than one: installed on a page, each heard and answered with its own token."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from bot.clock import SystemIds
from bot.errors import ChannelError
from bot.model.codec import reply_to_json
from bot.model.delivery import Delivery
from bot.model.message import Reply
from bot.model.person import Role
from handlers.slack.api import bot_scopes
from handlers.slack.install import Installing, OAuthApp
from storage.budgets import BudgetStore
from storage.codes import CodeStore
from storage.engine import Database
from storage.installations import InstallationStore
from storage.people import PeopleStore
from storage.sealing import AesSeal
from tests.conftest import HeldClock
from tests.fakes.inbox import RecordingInbox
from tests.fakes.slack_payloads import (
    CHANNEL,
    TEAM,
    Payload,
    bot_of,
    event,
    mention,
    of_team,
    press,
    slash,
)
from tests.fakes.slack_server import SlackServer
from tests.handlers.slack.conftest import Lines, Slack, build, web

OTHER, THIRD = "T0OTHER", "T0THIRD"
APPROVE = {"action_id": "ratchet:press:0", "value": "/approve P12"}
APP = OAuthApp("111.222", "client-secret", "https://slack.example", ("chat:write", "commands"))


@dataclass(kw_only=True)
class Many(Slack):
    installations: InstallationStore
    people_store: PeopleStore

    async def begin(self) -> str:
        """The install page; the state that its button carries."""
        page = await self.http.get("/slack/install")
        assert page.status_code == 200, page.text
        url = page.text.partition('href="')[2].partition('"')[0].replace("&amp;", "&")
        asked = parse_qs(urlsplit(url).query)
        assert url.startswith("https://slack.example/oauth/v2/authorize?")
        assert asked["client_id"] == ["111.222"] and asked["scope"] == ["chat:write,commands"]
        return asked["state"][0]

    async def finish(self, **query: str) -> httpx.Response:
        return await self.http.get("/slack/oauth_redirect", params=query)

    async def install(self, team: str, token: str, by: str = "U0INSTALLER") -> httpx.Response:
        self.server.teams[token] = team
        self.server.grants["code"] = grant(team, token, by)
        return await self.finish(state=await self.begin(), code="code")

    async def hears(self, payload: Payload) -> None:
        assert await self.post(payload) == 200


def grant(team: str, token: str, by: str = "U0INSTALLER") -> dict[str, Any]:
    return {
        "app_id": "A0APP",
        "token_type": "bot",
        "access_token": token,
        "bot_user_id": bot_of(team),
        "team": {"id": team, "name": f"<b>{team}"},
        "enterprise": None,
        "is_enterprise_install": False,
        "authed_user": {"id": by},
    }


@pytest.fixture
async def many(server: SlackServer, clock: HeldClock, db: Database) -> AsyncIterator[Many]:
    ids, inbox, log = SystemIds(), RecordingInbox(), Lines()
    people = PeopleStore(db, clock, ids)
    installations = InstallationStore(db, AesSeal(["k" * 32], ids))
    installing = Installing(APP, CodeStore(db), people, ids)
    channel, parts = build(
        server,
        inbox,
        clock,
        log,
        installations=installations,
        installing=installing,
        once=BudgetStore(db, clock).warn_once,
    )
    await channel.start()
    async with web(channel) as http:
        yield Many(
            server,
            inbox,
            clock,
            log,
            parts,
            channel,
            http,
            installations=installations,
            people_store=people,
        )
    await channel.stop()


def reply(workspace: str, text: str = "Hello") -> Delivery:
    body = reply_to_json(Reply(text))
    return Delivery(f"d-{workspace}", workspace, "", "slack", {"channel": CHANNEL}, body)


async def test_a_workspace_installs_the_app_and_is_heard_and_answered_as_itself(many: Many) -> None:
    added = await many.install(OTHER, "xoxb-other")
    assert added.status_code == 200 and "&lt;b&gt;T0OTHER" in added.text
    await many.hears(of_team(OTHER, mention("hello")))
    await many.hears(mention("hello at home", ts="1780000001.000100"))
    assert [(m.workspace, m.text) for m in many.inbox.messages] == [
        ("slack:T0OTHER", "hello"),
        ("local", "hello at home"),
    ]
    await many.channel.send(reply("slack:T0OTHER"))
    await many.channel.send(reply("local"))
    assert [m["team"] for m in many.server.messages] == [OTHER, TEAM]


async def test_every_door_leads_to_the_workspace_it_is_in(many: Many) -> None:
    await many.install(OTHER, "xoxb-other")
    await many.hears(of_team(OTHER, slash("/metrics")))
    button = {"action_id": "ratchet:press:0", "value": "/approve P1"}
    await many.hears(of_team(OTHER, press(button, {"ts": "1.1"})))
    await many.envelope(of_team(OTHER, mention("over the socket", ts="1780000003.000100")))
    assert {m.workspace for m in many.inbox.messages} == {"slack:T0OTHER"}
    assert len(many.inbox.messages) == 3


async def test_a_team_that_is_not_installed_is_acknowledged_and_never_handled(many: Many) -> None:
    await many.hears(of_team(THIRD, mention("who are you?")))
    await many.hears(of_team(THIRD, slash("/metrics")))
    await many.envelope(of_team(THIRD, mention("and now?")))
    assert many.inbox.messages == [] and "slack_team_not_installed" in many.log.events()
    with pytest.raises(ChannelError, match="not installed"):
        await many.channel.send(reply("slack:T0THIRD"))
    assert many.server.messages == []


async def test_a_card_belongs_to_the_workspace_that_shows_it_whoever_presses(many: Many) -> None:
    """In a shared channel, with the app on both sides."""
    await many.install(OTHER, "xoxb-other")
    for shown, pressing in ((OTHER, TEAM), (TEAM, OTHER)):
        card = {"ts": "2.2", "bot_id": "B0CARD", "bot_profile": {"team_id": shown}}
        person = {"id": "U0THEIRS", "team_id": pressing}
        more: Payload = {"team": {"id": pressing}, "user": person, "trigger_id": f"1.2.{shown}"}
        await many.hears(press(APPROVE, card, **more))
    found = [(m.workspace, m.sender.is_guest) for m in many.inbox.messages]
    assert found == [(f"slack:{OTHER}", True), ("local", True)]
    assert many.inbox.texts == ["/approve P12"] * 2


async def test_whoever_installs_it_first_owns_it_there_and_nobody_after(many: Many) -> None:
    await many.install(OTHER, "xoxb-other", by="U0FIRST")
    await many.install(OTHER, "xoxb-other", by="U0SECOND")
    owners = await many.people_store.addresses("slack:T0OTHER", "slack", Role.OWNER)
    assert [external for _, external in owners] == ["U0FIRST"]
    installed = await many.installations.get("slack:T0OTHER")
    assert installed is not None and installed.installed_by == "U0FIRST"
    assert await many.people_store.addresses("local", "slack", Role.OWNER) == []


async def test_what_slack_sends_back_is_good_once_and_not_for_long(many: Many) -> None:
    many.server.grants |= {name: grant(OTHER, "xoxb-other") for name in ("c1", "c2", "c3")}
    state = await many.begin()
    assert (await many.finish(state=state, code="c1")).status_code == 200
    again = await many.finish(state=state, code="c2")
    assert again.status_code == 400 and "used already" in again.text
    state = await many.begin()
    many.clock.advance(601)
    late = await many.finish(state=state, code="c2")
    assert late.status_code == 400 and "ten minutes" in late.text
    for query in (
        {},
        {"code": "c2"},
        {"state": "guessed", "code": "c2"},
        {"state": "", "code": ""},
    ):
        assert (await many.finish(**query)).status_code == 400
    assert "c2" in many.server.grants


async def test_nobody_is_made_to_finish_what_another_browser_began(many: Many) -> None:
    many.server.grants["code"] = grant(OTHER, "xoxb-other")
    state = await many.begin()
    many.http.cookies.clear()
    answer = await many.finish(state=state, code="code")
    assert answer.status_code == 400 and "another browser" in answer.text
    assert await many.installations.get("slack:T0OTHER") is None


async def test_two_tabs_of_one_browser_may_both_finish(many: Many) -> None:
    many.server.grants |= {"c1": grant(OTHER, "xoxb-other"), "c2": grant(THIRD, "xoxb-third")}
    first, second = await many.begin(), await many.begin()
    assert (await many.finish(state=first, code="c1")).status_code == 200
    assert (await many.finish(state=second, code="c2")).status_code == 200


async def test_the_cookie_is_for_this_page_alone(many: Many) -> None:
    plain = (await many.http.get("/slack/install")).headers["set-cookie"]
    assert "HttpOnly" in plain and "SameSite=lax" in plain and "Path=/slack" in plain
    headers = {"x-forwarded-proto": "https"}
    behind = (await many.http.get("/slack/install", headers=headers)).headers["set-cookie"]
    assert "Secure" in behind and "Secure" not in plain


async def test_a_no_is_no_and_nothing_of_it_is_shown_raw(many: Many) -> None:
    denied = await many.finish(state=await many.begin(), error="access_denied")
    assert denied.status_code == 400 and "nothing was added" in denied.text
    strange = await many.finish(state=await many.begin(), error="<script>alert(1)</script>")
    assert strange.status_code == 400 and "<script>" not in strange.text
    refused = await many.finish(state=await many.begin(), code="wrong")
    assert refused.status_code == 400 and "invalid_code" in refused.text


async def test_slack_being_away_is_said_and_tried_again(many: Many) -> None:
    many.server.grants["code"] = grant(OTHER, "xoxb-other")
    many.server.fail("oauth.v2.access", "500")
    answer = await many.finish(state=await many.begin(), code="code")
    assert answer.status_code == 502 and "try again" in answer.text
    assert (await many.finish(state=await many.begin(), code="code")).status_code == 200


async def test_a_whole_organization_is_told_that_it_cannot(many: Many) -> None:
    whole = grant(OTHER, "xoxb-other") | {"team": None, "is_enterprise_install": True}
    many.server.grants["code"] = whole
    answer = await many.finish(state=await many.begin(), code="code")
    assert answer.status_code == 400 and "Choose one workspace" in answer.text
    missing: dict[str, Any]
    for missing in ({"team": {}}, {"team": "x"}, {"access_token": None}):
        many.server.grants["code"] = grant(OTHER, "xoxb-other") | missing
        answer = await many.finish(state=await many.begin(), code="code")
        assert answer.status_code == 502
    assert await many.installations.get("slack:T0OTHER") is None


async def test_the_workspace_of_the_settings_is_not_installed_twice(many: Many) -> None:
    many.server.grants["code"] = grant(TEAM, "xoxb-shadow")
    answer = await many.finish(state=await many.begin(), code="code")
    assert "Connected already" in answer.text
    assert await many.installations.get(f"slack:{TEAM}") is None


GONE = {"app_uninstalled": {}, "tokens_revoked": {"tokens": {"oauth": [], "bot": ["U0BOT"]}}}


@pytest.mark.parametrize("kind", GONE)
async def test_who_leaves_is_forgotten_and_may_come_back(many: Many, kind: str) -> None:
    await many.install(OTHER, "xoxb-other")
    await many.hears(of_team(OTHER, mention("hello")))
    gone = event({"type": kind, **GONE[kind]}, team=OTHER, event_id="EvGone")
    await many.hears(gone)
    assert await many.installations.token("slack:T0OTHER") is None
    with pytest.raises(ChannelError, match="not installed"):
        await many.channel.send(reply("slack:T0OTHER"))
    await many.hears(of_team(OTHER, mention("still there?", ts="1780000005.000100")))
    assert len(many.inbox.messages) == 1
    await many.install(OTHER, "xoxb-again")
    await many.hears(gone)  # Slack says it again, late
    await many.channel.send(reply("slack:T0OTHER"))
    await many.hears(of_team(OTHER, mention("back", ts="1780000006.000100")))
    assert many.inbox.texts == ["hello", "back"]


async def test_a_persons_revoked_token_ends_nothing(many: Many) -> None:
    await many.install(OTHER, "xoxb-other")
    for tokens in ({"oauth": ["U1"], "bot": []}, {"oauth": ["U1"]}, None, {"bot": "U1"}):
        inner = {"type": "tokens_revoked", "tokens": tokens}
        await many.hears(event(inner, team=OTHER, event_id=f"Ev{tokens}"))
    assert await many.installations.token("slack:T0OTHER") == "xoxb-other"


async def test_the_end_of_one_workspace_is_not_anothers(many: Many) -> None:
    await many.install(OTHER, "xoxb-other")
    await many.install(THIRD, "xoxb-third")
    await many.hears(event({"type": "app_uninstalled"}, team=OTHER))
    await many.channel.send(reply("slack:T0THIRD"))
    await many.channel.send(reply("local"))
    assert [m["team"] for m in many.server.messages] == [THIRD, TEAM]


async def test_another_nodes_news_are_heard_within_a_minute(many: Many) -> None:
    await many.install(OTHER, "xoxb-other")
    await many.channel.send(reply("slack:T0OTHER"))
    await many.installations.remove("slack:T0OTHER", 1)
    many.clock.advance(61)
    with pytest.raises(ChannelError, match="not installed"):
        await many.channel.send(reply("slack:T0OTHER"))


async def test_without_a_token_of_its_own_it_serves_those_who_installed_it(
    server: SlackServer, clock: HeldClock, db: Database
) -> None:
    ids, inbox, log = SystemIds(), RecordingInbox(), Lines()
    people = PeopleStore(db, clock, ids)
    store = InstallationStore(db, AesSeal(["k" * 32], ids))
    installing = Installing(APP, CodeStore(db), people, ids)
    channel, parts = build(
        server, inbox, clock, log, bot_token="", installations=store, installing=installing
    )
    await channel.start()
    async with web(channel) as http:
        many = Many(
            server,
            inbox,
            clock,
            log,
            parts,
            channel,
            http,
            installations=store,
            people_store=people,
        )
        await many.install(TEAM, "xoxb-fake")
        await many.envelope(mention("hello"))
        assert [(m.workspace, m.text) for m in inbox.messages] == [(f"slack:{TEAM}", "hello")]
        assert "/slack/install" in channel.summary
    await channel.stop()


def test_the_scopes_asked_for_are_those_that_are_used() -> None:
    assert {"chat:write", "commands", "users:read", "reactions:read"} <= bot_scopes()
    assert "" not in bot_scopes()
