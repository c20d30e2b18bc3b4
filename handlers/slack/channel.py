"""Slack: Socket Mode and signed HTTP into one app, in any number of workspaces."""

import asyncio
import logging
from collections.abc import Collection, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any

import aiohttp
import structlog

from bot.errors import ChannelError, RatchetError
from bot.home import Section, page
from bot.kit import ChannelKit, plain
from bot.model.delivery import Delivery
from bot.model.file import FileRef
from bot.model.message import Message, Sender
from bot.model.person import Role
from bot.model.run import Run
from bot.pace import Pace
from bot.ports.channels import Inbox, Route
from bot.ports.clock import Clock
from bot.ports.stores import Installations
from handlers.slack.api import REJECTED, Answer, Refused, bot_scopes
from handlers.slack.fetching import fetch
from handlers.slack.hearing import Hearing, TakesPart
from handlers.slack.home import HomeTab, Once, PageOf, never, no_page
from handlers.slack.incoming import HOME
from handlers.slack.install import Install, Installing, OAuthApp
from handlers.slack.leaving import Leaving
from handlers.slack.live import Sources
from handlers.slack.pressing import Cards, Pressing, Shown, no_cards, nothing_shown
from handlers.slack.receiving import Receiving
from handlers.slack.socket_mode import Socket
from handlers.slack.teams import Team, Teams
from handlers.slack.uploads import Content
from handlers.slack.web_api import TIMEOUT, SlackApi

REACTIONS = {"+1": "up", "-1": "down", "white_check_mark": "approve", "x": "decline"}
_MANY = 1_000_000


class SlackChannel:
    """One Slack app: in the workspace of `bot_token`, and in those of `installations`. Makes no
    connection before `start`.

    Both transports may be on: Socket Mode with `app_token`, HTTP with `signing_secret`.
    `commands` are the names and aliases of all commands; `log` is a structlog logger.
    """

    name = "slack"
    push = True

    def __init__(
        self,
        *,
        bot_token: str = "",
        app_token: str | None = None,
        signing_secret: str | None = None,
        api_url: str = "https://slack.com/api/",
        inbox: Inbox,
        clock: Clock,
        commands: Collection[str],
        takes_part: TakesPart,
        log: Any,
        pause: float = 0.5,
        sources: Sources | None = None,
        content: Content | None = None,
        installations: Installations | None = None,
        installing: Installing | None = None,
        cards: Cards = no_cards,
        shown: Shown = nothing_shown,
        page: PageOf = no_page,
        once: Once = never,
        prefix: str = "",
        reactions: Mapping[str, str] = REACTIONS,
        per_minute: int = _MANY,
    ) -> None:
        self._app_token, self._secret = app_token or "", signing_secret or ""
        self._clock, self._log, self._pause = clock, log, pause
        logger = logging.getLogger("handlers.slack.sdk")
        logger.setLevel(logging.ERROR)  # what matters of it we log ourselves
        self._api = SlackApi("", api_url, logger)
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._installations = installations

        def team(workspace: str, token: str) -> Team:
            return Team(workspace, token, api_url, clock, logger, log, sources, content)

        home = team(HOME, bot_token) if bot_token else None
        self._teams = Teams(home, installations, team, self._background, clock, log)
        self._install = self._installer(installing)
        hearing = Hearing(
            teams=self._teams,
            inbox=inbox,
            clock=clock,
            commands=commands,
            prefix=prefix,
            takes_part=takes_part,
            pace=Pace(per_minute, 60.0, clock),
            background=self._background,
            log=log,
        )
        leaving = Leaving(self._teams, installations, once, clock, log)
        home_tab = HomeTab(self._teams, page, once, inbox, log)
        pressing = Pressing(
            teams=self._teams,
            hearing=hearing,
            cards=cards,
            shown=shown,
            reactions=reactions,
            background=self._background,
            changed=home_tab.changed,
            log=log,
        )
        self._receiving = Receiving(
            signing_secret=self._secret,
            clock=clock,
            client=self._api.for_requests(),
            events={
                "app_mention": hearing.on_message,
                "message": hearing.on_message,
                "reaction_added": pressing.on_reaction,
                "reaction_removed": pressing.on_reaction,
                "agent_session_stopped": hearing.on_stop,
                "app_home_opened": home_tab.on_opened,
                "app_uninstalled": leaving.on_removed,
                "tokens_revoked": leaving.on_removed,
            },
            other=hearing.on_other,
            doors={
                "command": hearing.on_slash,
                "action": pressing.on_actions,
                "shortcut": pressing.on_shortcut,
                "view": pressing.on_view,
            },
            logger=logger,
            log=log,
        )
        self._socket = Socket(
            self._open_url, self._receiving.over_socket, log, pause=pause, proxy=self._api.proxy
        )

    @property
    def summary(self) -> str:
        home = self._teams.home
        if home and home.off and not self._install:
            return f"off: {home.off}"
        ways = ["Socket Mode"] * bool(self._app_token) + ["/slack/events"] * bool(self._secret)
        said = " and ".join(ways) or "replies only: set SLACK_APP_TOKEN or SLACK_SIGNING_SECRET"
        if self._install:
            said += "; more workspaces at /slack/install"
        return f"{said}; but {home.off}" if home and home.off else said

    def routes(self) -> Sequence[Route]:
        routes = self._install.routes() if self._install else ()
        if not self._secret:
            return routes
        return (*routes, Route("/slack/events", ("POST",), self._receiving.over_http))

    async def start(self) -> None:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT, sock_connect=5)
        self._session = aiohttp.ClientSession(timeout=timeout)
        self._api.use(self._session)
        self._teams.use(self._session)
        self._background(self._connect(self._session))

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._receiving.drain()
        await self._teams.close()
        if self._session:
            await self._session.close()

    def follow(self, run: Run) -> None:
        if team := self._teams.known(run.workspace):
            team.sending.follow(run)
        else:
            self._background(self._follow_late(run))

    async def fetch(self, workspace: str, file: FileRef, limit: int) -> bytes:
        team = await self._teams.of_workspace(workspace)
        return await fetch(team.api, file, limit)

    async def send(self, delivery: Delivery) -> Mapping[str, object]:
        team, over = await self._teams.of_workspace(delivery.workspace), False
        try:
            ref = await team.sending.send(delivery)
            over = True
            return ref
        except ChannelError as error:
            over = not error.retry
            if isinstance(error, Refused) and error.code in REJECTED:
                self._teams.forget(delivery.workspace)
            raise
        finally:
            if over and delivery.address.get("ts") and not delivery.edits:
                self._background(team.sign.clear(delivery.address))

    async def find(self, delivery: Delivery) -> Mapping[str, object] | None:
        team = await self._teams.of_workspace(delivery.workspace)
        return await team.sending.find(delivery)

    async def _follow_late(self, run: Run) -> None:
        """A run taken up again in a workspace that wasn't heard of here yet."""
        try:
            (await self._teams.of_workspace(run.workspace)).sending.follow(run)
        except RatchetError as error:
            self._log.info("slack_run_not_followed", run_id=run.id, error=str(error))

    # Connecting

    def _background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, session: aiohttp.ClientSession) -> None:
        pause, home = self._pause, self._teams.home
        while home and not await self._introduced(home, pause):
            if home.off:
                break
            await asyncio.sleep(pause)
            pause = min(pause * 2, 60.0)
        if self._app_token and (self._install or not (home and home.off)):
            await self._socket.run(session)

    async def _introduced(self, home: Team, pause: float) -> bool:
        try:
            me = await home.who()
        except ChannelError as error:
            if not home.off:
                self._log.warning("slack_not_reached", error=str(error), again_in_s=pause)
            return False
        self._log.info("slack_connected", team=me.team_id, user=me.user_id, by=self.summary)
        return True

    async def _open_url(self) -> str:
        return await self._api.connection_url(self._app_token)

    # Installing

    def _installer(self, installing: Installing | None) -> Install | None:
        if installing is None or self._installations is None:
            return None
        return Install(
            installing,
            self._installations,
            self._exchange,
            self._home_team,
            self._teams.forget,
            self._clock,
            self._log,
        )

    async def _exchange(self, app: OAuthApp, code: str) -> Answer:
        return await self._api.exchange(app.client_id, app.client_secret, code)

    async def _home_team(self) -> str:
        home = self._teams.home
        if home is None or home.off:
            return ""
        try:
            return (await home.who()).team_id
        except Refused:
            return ""


def make(kit: ChannelKit) -> SlackChannel:
    settings, services = kit.settings, kit.services

    async def content(workspace: str, file_id: str) -> bytes | None:
        file = await services.files.get(workspace, file_id)
        return file.content if file else None

    installing = None
    if settings.slack_client_id:
        secret = plain(settings.slack_client_secret) or ""
        app = OAuthApp(
            settings.slack_client_id, secret, settings.slack_oauth_url, sorted(bot_scopes())
        )
        installing = Installing(app, services.codes, services.people, services.ids)

    async def page_of(workspace: str, sender: Sender) -> Sequence[Section]:
        person = await kit.person_of(Message(workspace, "slack", "", "", sender, ""))
        if sender.is_guest:
            person = replace(person, role=Role.GUEST)
        return await page(services, workspace, person)

    parts = (part.partition("=") for part in settings.listed(settings.reactions))
    return SlackChannel(
        bot_token=plain(settings.slack_bot_token) or "",
        app_token=plain(settings.slack_app_token),
        signing_secret=plain(settings.slack_signing_secret),
        api_url=settings.slack_api_url,
        inbox=services.inbox,
        clock=services.clock,
        commands=kit.names(),
        takes_part=services.runs.takes_part,
        log=structlog.get_logger("slack"),
        sources=Sources(kit.services.events, kit.drafts, kit.redact),
        content=content,
        installations=services.installations if installing else None,
        installing=installing,
        cards=kit.cards,
        shown=kit.shown,
        page=page_of,
        once=services.budgets.warn_once,
        prefix=settings.command_prefix,
        reactions={name: says for name, _, says in parts if says},
        per_minute=settings.messages_per_minute,
    )
