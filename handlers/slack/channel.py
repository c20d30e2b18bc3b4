"""Slack: Socket Mode and signed HTTP into one app; replies over the Web API."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from typing import Any

import aiohttp
import structlog
from slack_bolt import BoltResponse
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.listener.async_listener_start_handler import AsyncListenerStartHandler
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from bot.errors import ChannelError, RatchetError
from bot.kit import ChannelKit, plain
from bot.model.delivery import Delivery
from bot.model.file import FileRef
from bot.model.run import Run
from bot.ports.channels import Inbox, Route
from bot.ports.clock import Clock
from handlers.slack.api import REJECTED, Refused
from handlers.slack.courtesy import Acquaintances, LifeSign
from handlers.slack.fetching import fetch
from handlers.slack.hearing import PROMPT, Hearing, TakesPart
from handlers.slack.incoming import SUBSCRIBED, Body, Me, text_of
from handlers.slack.live import Sources
from handlers.slack.sending import Sending
from handlers.slack.signing import is_signed
from handlers.slack.socket_mode import Socket
from handlers.slack.uploads import Content
from handlers.slack.web_api import TIMEOUT, SlackApi

_LARGEST = 4 << 20
_MALFORMED = (ValueError, TypeError, AttributeError, LookupError, RecursionError)
_BEGUN = "begun"


class _Begun(AsyncListenerStartHandler):
    """Marks that a listener of ours has it: what fails earlier is the payload's own fault."""

    async def handle(self, request: AsyncBoltRequest, response: BoltResponse | None) -> None:
        request.context[_BEGUN] = True


class SlackChannel:
    """One Slack app, in one workspace. Makes no connection before `start`.

    Both transports may be on: Socket Mode with `app_token`, HTTP with `signing_secret`.
    `commands` are the names and aliases of all commands; `log` is a structlog logger.
    """

    name = "slack"
    push = True

    def __init__(
        self,
        *,
        bot_token: str,
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
    ) -> None:
        self._app_token, self._secret = app_token or "", signing_secret or ""
        self._clock, self._log, self._pause = clock, log, pause
        logger = logging.getLogger("handlers.slack.sdk")
        logger.setLevel(logging.ERROR)  # what matters of it we log ourselves
        self._api = SlackApi(bot_token, api_url, logger)
        self._sending = Sending(self._api, log, sources=sources, team=self._team, content=content)
        self._sign = LifeSign(self._api, log)
        self._me: Me | None = None
        self._asking = asyncio.Lock()
        self._off = ""
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._handling: set[asyncio.Task[Any]] = set()
        hearing = Hearing(
            api=self._api,
            inbox=inbox,
            clock=clock,
            who=self._who,
            commands=commands,
            takes_part=takes_part,
            people=Acquaintances(self._api, clock),
            sign=self._sign,
            background=self._background,
            log=log,
        )
        self._app = self._build(hearing, logger)
        self._socket = Socket(
            self._open_url, self._over_socket, log, pause=pause, proxy=self._api.proxy
        )

    @property
    def summary(self) -> str:
        ways = ["Socket Mode"] * bool(self._app_token) + ["/slack/events"] * bool(self._secret)
        if self._off:
            return f"off: {self._off}"
        return " and ".join(ways) or "replies only: set SLACK_APP_TOKEN or SLACK_SIGNING_SECRET"

    def routes(self) -> Sequence[Route]:
        if not self._secret:
            return ()
        return (Route("/slack/events", ("POST",), self._over_http),)

    async def start(self) -> None:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT, sock_connect=5)
        self._session = aiohttp.ClientSession(timeout=timeout)
        self._api.use(self._session)
        self._background(self._connect(self._session))

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._handling:
            await asyncio.wait(self._handling, timeout=PROMPT)
        await self._sending.close()
        await self._sign.close()
        if self._session:
            await self._session.close()

    def follow(self, run: Run) -> None:
        self._sending.follow(run)

    async def fetch(self, workspace: str, file: FileRef, limit: int) -> bytes:
        return await fetch(self._api, file, limit)

    async def send(self, delivery: Delivery) -> Mapping[str, object]:
        waits = False
        try:
            return await self._sending.send(delivery)
        except ChannelError as error:
            waits = error.retry
            raise
        finally:
            if delivery.address.get("ts") and not (delivery.edits or waits):
                self._background(self._sign.clear(delivery.address))

    async def find(self, delivery: Delivery) -> Mapping[str, object] | None:
        return await self._sending.find(delivery)

    # Connecting

    def _background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, session: aiohttp.ClientSession) -> None:
        pause = self._pause
        while not await self._introduced(pause):
            if self._off:
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, 60.0)
        if self._app_token:
            await self._socket.run(session)

    async def _introduced(self, pause: float) -> bool:
        try:
            me = await self._who()
        except ChannelError as error:
            if not self._off:
                self._log.warning("slack_not_reached", error=str(error), again_in_s=pause)
            return False
        self._log.info("slack_connected", team=me.team_id, user=me.user_id, by=self.summary)
        return True

    async def _who(self) -> Me:
        """auth.test, once: Bolt would ask it for every request."""
        async with self._asking:
            if self._off:
                raise ChannelError(self._off)
            if self._me is None:
                self._me = await self._ask_who()
            return self._me

    async def _team(self) -> str:
        return (await self._who()).team_id

    async def _ask_who(self) -> Me:
        try:
            answer = await self._api.call("auth.test")
        except Refused as error:
            if error.code in REJECTED:
                self._off = f"Slack rejects SLACK_BOT_TOKEN ({error.code})"
                do = "Set SLACK_BOT_TOKEN to the bot token (xoxb-…) of the installed app; restart."
                self._log.error("slack_token_rejected", code=error.code, do=do)
            raise
        found = (text_of(answer.get(key)) for key in ("user_id", "bot_id", "team_id"))
        return Me(*found)

    async def _open_url(self) -> str:
        return await self._api.connection_url(self._app_token)

    # Receiving

    async def _over_http(self, request: Request) -> Response:
        body = await _whole(request)
        if body is None:
            return Response(status_code=413)
        stamp = request.headers.get("x-slack-request-timestamp", "")
        signature = request.headers.get("x-slack-signature", "")
        if not is_signed(self._secret, stamp, signature, body, self._clock.now()):
            self._log.warning("slack_request_not_signed", bytes=len(body))
            return Response(status_code=401)
        try:
            asked = AsyncBoltRequest(
                body=body.decode(),
                headers=dict(request.headers),
                context={"delivery_id": signature},
            )
            _check(asked.body)
        except _MALFORMED as error:
            self._log.warning("slack_request_malformed", error=str(error))
            return Response(status_code=400)
        status, answer, kind = await self._dispatch(asked)
        return Response(answer, status, media_type=kind)

    async def _over_socket(
        self, payload: Mapping[str, Any], envelope_id: str
    ) -> tuple[bool, Mapping[str, object] | None]:
        try:
            asked = AsyncBoltRequest(
                mode="socket_mode", body=dict(payload), context={"delivery_id": envelope_id}
            )
            _check(asked.body)
        except _MALFORMED as error:
            self._log.warning("slack_request_malformed", error=str(error))
            return True, None
        status, _, _ = await self._dispatch(asked)
        return status in (200, 400), None

    async def _dispatch(self, asked: AsyncBoltRequest) -> tuple[int, str, str | None]:
        """What nobody listens to is acknowledged too: Slack would only send it again."""
        work = asyncio.ensure_future(self._app.async_dispatch(asked))
        self._handling.add(work)
        work.add_done_callback(self._handling.discard)
        try:
            answer = await asyncio.shield(work)
        except _MALFORMED as error:  # Bolt's own readers trip over some payloads
            self._log.warning("slack_request_malformed", error=str(error))
            return 400, "", None
        if answer.status == 404:
            self._log.info("slack_request_unknown", kind=text_of(asked.body.get("type")))
            return 200, "", None
        kind = answer.headers.get("content-type", [None])[0]
        return (503 if answer.status >= 500 else answer.status), answer.body or "", kind

    def _build(self, hear: Hearing, logger: logging.Logger) -> AsyncApp:
        async def authorize() -> AuthorizeResult:
            async with asyncio.timeout(PROMPT):
                me = await self._who()
            return AuthorizeResult(
                enterprise_id=None, team_id=me.team_id, bot_user_id=me.user_id, bot_id=me.bot_id
            )

        app = AsyncApp(
            name="ratchet",
            logger=logger,
            client=self._api.for_requests(),
            authorize=authorize,
            signing_secret=self._secret,
            # The route has checked the signature, over the raw bytes and with our own clock.
            request_verification_enabled=False,
            # The listener decides: Slack hears "received" only after the run log has it.
            process_before_response=True,
            attaching_conversation_kwargs_enabled=False,
        )
        hears: dict[str, Callable[..., Awaitable[None]]] = {
            "app_mention": hear.on_message,
            "message": hear.on_message,
            "reaction_added": hear.on_reaction,
            "agent_session_stopped": hear.on_stop,
            "app_uninstalled": hear.on_removed,
            "tokens_revoked": hear.on_removed,
        }
        for event in SUBSCRIBED:
            app.event(event)(hears.get(event, hear.on_other))
        everything = re.compile(".*", re.DOTALL)
        app.command(everything)(hear.on_slash)
        app.block_action(everything)(hear.on_actions)
        app.message_shortcut(everything)(hear.on_shortcut)
        app.view_submission(everything)(hear.on_view)
        app.error(self._failed)
        app.listener_runner.listener_start_handler = _Begun()
        return app

    async def _failed(
        self, error: Exception, body: dict[str, Any], context: Mapping[str, Any]
    ) -> BoltResponse | None:
        cause = str(error) or type(error).__name__
        if isinstance(error, RatchetError | TimeoutError):
            self._log.warning("slack_delivery_not_taken", error=cause, kind=body.get("type"))
        elif isinstance(error, _MALFORMED) and not context.get(_BEGUN):
            self._log.warning("slack_request_malformed", error=cause)
            return BoltResponse(status=400)
        else:
            self._log.error("slack_delivery_failed", error=cause, exc_info=error)
        return None


def _check(body: Body) -> None:
    if not isinstance(body, dict) or not body:
        raise ValueError("the body is not an object")
    if "event" in body and not isinstance(body["event"], dict):
        raise ValueError("the event is not an object")


async def _whole(request: Request) -> bytes | None:
    """The raw body, or None where it is larger than anything Slack sends."""
    pieces, size = [], 0
    try:
        async for piece in request.stream():
            size += len(piece)
            if size > _LARGEST:
                return None
            pieces.append(piece)
    except ClientDisconnect:
        return b""
    return b"".join(pieces)


def make(kit: ChannelKit) -> SlackChannel:
    settings, files = kit.settings, kit.services.files

    async def content(workspace: str, file_id: str) -> bytes | None:
        file = await files.get(workspace, file_id)
        return file.content if file else None

    return SlackChannel(
        bot_token=plain(settings.slack_bot_token) or "",
        app_token=plain(settings.slack_app_token),
        signing_secret=plain(settings.slack_signing_secret),
        api_url=settings.slack_api_url,
        inbox=kit.services.inbox,
        clock=kit.services.clock,
        commands=kit.names(),
        takes_part=kit.services.runs.takes_part,
        log=structlog.get_logger("slack"),
        sources=Sources(kit.services.events, kit.drafts, kit.redact),
        content=content,
    )
