"""Adding the app to a workspace: the page, Slack's answer to it, and the end of it."""

import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from bot.errors import ChannelError
from bot.model.installation import Installation
from bot.model.person import Role
from bot.ports.channels import Route
from bot.ports.clock import Clock, Ids
from bot.ports.stores import Codes, Installations, People
from handlers.slack import pages
from handlers.slack.api import Answer, Refused
from handlers.slack.incoming import HOME, part_of, text_of

_PURPOSE = "slack-install"
_COOKIE = "ratchet_install"
_MINUTES = 10
_TOKEN = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class OAuthApp:
    """How the app is known to Slack. `authorize` is the base of the page where people allow it."""

    client_id: str
    client_secret: str
    authorize: str
    scopes: Sequence[str]


@dataclass(frozen=True, slots=True)
class Installing:
    """What an installation takes besides its own store."""

    app: OAuthApp
    codes: Codes
    people: People
    ids: Ids


Exchange = Callable[[OAuthApp, str], Awaitable[Answer]]
"""(app, code) → what oauth.v2.access answers."""


class Install:
    """`home_team` is the team whose token the settings hold; `changed` hears of a new token."""

    def __init__(
        self,
        parts: Installing,
        installations: Installations,
        exchange: Exchange,
        home_team: Callable[[], Awaitable[str]],
        changed: Callable[[str], None],
        clock: Clock,
        log: Any,
    ) -> None:
        self._app, self._codes, self._people = parts.app, parts.codes, parts.people
        self._ids, self._installations = parts.ids, installations
        self._exchange, self._home_team, self._changed = exchange, home_team, changed
        self._clock, self._log = clock, log

    def routes(self) -> Sequence[Route]:
        return (
            Route("/slack/install", ("GET",), self.offer),
            Route("/slack/oauth_redirect", ("GET",), self.finish),
        )

    async def offer(self, request: Request) -> Response:
        """The page with the button. What Slack sends back is good once, in this browser only."""
        browser = request.cookies.get(_COOKIE, "")
        browser = browser if _TOKEN.fullmatch(browser) else self._ids.token(16)
        state = self._ids.token(16)
        until = self._clock.now() + _MINUTES * 60_000
        await self._codes.issue(HOME, _PURPOSE, state, {"browser": _digest(browser)}, until)
        asked = {"client_id": self._app.client_id, "scope": ",".join(self._app.scopes)}
        query = urlencode({**asked, "user_scope": "", "state": state})
        answer = _page(pages.offer(f"{self._app.authorize.rstrip('/')}/oauth/v2/authorize?{query}"))
        answer.set_cookie(
            _COOKIE,
            browser,
            max_age=_MINUTES * 60,
            path="/slack",
            secure=_is_https(request),
            httponly=True,
            samesite="lax",
        )
        return answer

    async def finish(self, request: Request) -> Response:
        """Where Slack sends the browser back to."""
        asked, browser = request.query_params, request.cookies.get(_COOKIE, "")
        state, code = asked.get("state", ""), asked.get("code", "")
        redeemed = await self._codes.redeem(HOME, _PURPOSE, state, self._clock.now())
        if redeemed is None:
            return _page(pages.STALE, 400)
        if not hmac.compare_digest(text_of(redeemed.get("browser")), _digest(browser)):
            self._log.warning("slack_install_other_browser")
            return _page(pages.OTHER_BROWSER, 400)
        if said := asked.get("error", ""):
            self._log.info("slack_install_denied", code=said[:100])
            return _page(pages.DENIED if said == "access_denied" else pages.refused(said), 400)
        if not code:
            return _page(pages.STALE, 400)
        try:
            answer = await self._exchange(self._app, code)
        except Refused as error:
            self._log.warning("slack_install_refused", code=error.code)
            return _page(pages.refused(error.code), 400)
        except ChannelError as error:
            self._log.warning("slack_install_unanswered", error=str(error))
            return _page(pages.UNANSWERED, 502)
        return await self._keep(answer)

    async def _keep(self, answer: Answer) -> Response:
        team = part_of(answer.get("team"))
        team_id, token = text_of(team.get("id")), text_of(answer.get("access_token"))
        if not team_id and answer.get("is_enterprise_install"):
            self._log.warning("slack_install_for_a_whole_org")
            return _page(pages.WHOLE_ORG, 400)
        if not (team_id and token):
            self._log.warning("slack_install_without_token", team=team_id)
            return _page(pages.refused("no_token"), 502)
        if team_id == await self._home_team():
            return _page(pages.HOME, 400)
        workspace, now = f"slack:{team_id}", self._clock.now()
        installer = text_of(part_of(answer.get("authed_user")).get("id"))
        name = text_of(team.get("name"))[:200]
        tends = await self._tends(workspace, installer)
        kept = Installation(workspace, "slack", team_id, name, tends, now)
        await self._installations.put(workspace, kept, token)
        self._changed(workspace)
        self._log.info("slack_installed", team=team_id, name=name, by=installer)
        return _page(pages.done(name or team_id, text_of(answer.get("app_id")), team_id))

    async def _tends(self, workspace: str, installer: str) -> str:
        """Who is told what needs a decision: the first to install, who becomes its owner. Whoever
        installs it again gains nothing by that while it has one."""
        owners = await self._people.addresses(workspace, "slack", Role.OWNER)
        if owners and installer not in {external for _, external in owners}:
            before = await self._installations.get(workspace)
            return (before.installed_by if before else "") or owners[0][1]
        if installer:
            person = await self._people.resolve(workspace, "slack", installer, "", Role.OWNER)
            if person.role is not Role.OWNER:
                await self._people.set_role(workspace, person.id, Role.OWNER)
        return installer


def _page(html: str, status: int = 200) -> HTMLResponse:
    headers = {
        "cache-control": "no-store",
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
        "referrer-policy": "no-referrer",
        "x-frame-options": "DENY",
    }
    return HTMLResponse(html, status, headers)


def _is_https(request: Request) -> bool:
    forwarded = request.headers.get("x-forwarded-proto", "").partition(",")[0].strip()
    return (forwarded or request.url.scheme) == "https"


def _digest(browser: str) -> str:
    return hashlib.sha256(browser.encode()).hexdigest()
