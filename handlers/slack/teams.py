"""The workspaces the app is in: each has its own token, and nothing is done with another's."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp

from bot.errors import ChannelError, ConfigError
from bot.ports.clock import Clock
from bot.ports.stores import Installations
from handlers.slack.api import REJECTED, Refused
from handlers.slack.courtesy import Acquaintances, LifeSign
from handlers.slack.incoming import HOME, Body, Me, shown_by, team_of, text_of
from handlers.slack.live import Sources
from handlers.slack.sending import Sending
from handlers.slack.uploads import Content
from handlers.slack.web_api import SlackApi

_KEPT = 500
_FRESH = 60
"""Seconds that a token is believed: another node may have heard of its end, or of a new one."""


class Team:
    """One workspace with its token: its client, and everything that works through it."""

    def __init__(
        self,
        workspace: str,
        token: str,
        api_url: str,
        clock: Clock,
        logger: logging.Logger,
        log: Any,
        sources: Sources | None = None,
        content: Content | None = None,
    ) -> None:
        self.workspace, self.token, self._log = workspace, token, log
        self.api = SlackApi(token, api_url, logger)
        self.sending = Sending(self.api, log, sources=sources, team=self._id, content=content)
        self.sign = LifeSign(self.api, log)
        self.people = Acquaintances(self.api, clock)
        self.off = ""
        self._me: Me | None = None
        self._asking = asyncio.Lock()

    async def who(self) -> Me:
        """auth.test, once: Bolt would ask it for every request."""
        async with self._asking:
            if self.off:
                raise ChannelError(self.off)
            if self._me is None:
                self._me = await self._ask_who()
            return self._me

    async def close(self) -> None:
        await self.sending.close()
        await self.sign.close()

    async def _id(self) -> str:
        return (await self.who()).team_id

    async def _ask_who(self) -> Me:
        try:
            answer = await self.api.call("auth.test")
        except Refused as error:
            if error.code in REJECTED and self.workspace == HOME:
                self.off = f"Slack rejects SLACK_BOT_TOKEN ({error.code})"
                do = "Set SLACK_BOT_TOKEN to the bot token (xoxb-…) of the installed app; restart."
                self._log.error("slack_token_rejected", code=error.code, do=do)
            raise
        user, bot, team = (text_of(answer.get(key)) for key in ("user_id", "bot_id", "team_id"))
        return Me(user, bot, team, self.workspace)


class Teams:
    """`home` is the workspace whose token the settings hold, if they do; the others have installed
    the app by themselves. `background` runs what nobody waits for."""

    def __init__(
        self,
        home: Team | None,
        installations: Installations | None,
        make: Callable[[str, str], Team],
        background: Callable[[Coroutine[Any, Any, None]], None],
        clock: Clock,
        log: Any,
    ) -> None:
        self.home, self._installations, self._make = home, installations, make
        self._background, self._clock, self._log = background, clock, log
        self._known: OrderedDict[str, tuple[Team, float]] = OrderedDict()
        self._session: aiohttp.ClientSession | None = None

    def use(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        if self.home:
            self.home.api.use(session)

    async def close(self) -> None:
        known = [team for team, _ in self._known.values()]
        for team in (*known, *([self.home] if self.home else [])):
            await team.close()
        self._known.clear()

    async def of_body(self, body: Body) -> Team | None:
        """Whose delivery it is; None, with a line in the log, where the app isn't installed.
        Raises ChannelError while Slack can't say who we are."""
        shown, team_id = shown_by(body), team_of(body)
        found = await self._of_team(shown) if shown and shown != team_id else None
        found = found or await self._of_team(team_id)
        if found is None:
            self._log.warning("slack_team_not_installed", team=team_id, kind=body.get("type"))
        return found

    async def _of_team(self, team_id: str) -> Team | None:
        if self.home and not (self.home.off and self._installations):
            me = await self.home.who()
            if team_id in ("", me.team_id) or not me.team_id:
                return self.home
        return await self._installed(f"slack:{team_id}") if team_id else None

    async def of_workspace(self, workspace: str) -> Team:
        """Raises ChannelError, for good, where the app isn't installed any more."""
        if workspace == HOME and self.home:
            return self.home
        found = await self._installed(workspace)
        if found is None:
            raise ChannelError(f"the app is not installed in {workspace} any more")
        return found

    def known(self, workspace: str) -> Team | None:
        """The workspace, if it was heard of here before."""
        found = self._known.get(workspace)
        return self.home if workspace == HOME else found[0] if found else None

    def forget(self, workspace: str) -> None:
        """Its token is gone, or another one."""
        if known := self._known.pop(workspace, None):
            self._background(known[0].close())

    async def _installed(self, workspace: str) -> Team | None:
        now = self._clock.monotonic()
        known = self._known.get(workspace)
        if known and now < known[1]:
            return known[0]
        token = await self._token(workspace)
        known = self._known.get(workspace)  # another delivery may have been faster
        if known and known[0].token != token:
            self.forget(workspace)
            known = None
        if not token or self._session is None:
            return None
        team = known[0] if known else self._make(workspace, token)
        team.api.use(self._session)
        self._known[workspace] = (team, now + _FRESH)
        self._known.move_to_end(workspace)
        while len(self._known) > _KEPT:
            self.forget(next(iter(self._known)))
        return team

    async def _token(self, workspace: str) -> str | None:
        if self._installations is None:
            return None
        try:
            return await self._installations.token(workspace)
        except ConfigError as error:
            self._log.error("slack_token_sealed", workspace=workspace, do=error.said)
            raise ChannelError(str(error)) from error
