"""Socket Mode: Slack's envelopes over a websocket, acknowledged once they are kept.

slack_sdk's own client is not used: it never asks for a new address when a connection to the old
one fails, and drops the old connection before what came over it is acknowledged. Here the old one
is read on until Slack closes it.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp

from bot.errors import ChannelError, ChannelUnavailable
from handlers.slack.api import REJECTED, Refused

Handle = Callable[[Mapping[str, Any], str], Awaitable[tuple[bool, Mapping[str, object] | None]]]
"""(payload, envelope id) → (whether to acknowledge, what to answer with it)."""

_LONGEST = 30.0
_DRAIN = 3.0
_LEAVING = 10.0
"""Seconds in which Slack may still send over a connection that it asked to renew."""


class Socket:
    """Keeps one connection open. `open_url` asks Slack for an address; `log` is structlog's."""

    def __init__(
        self,
        open_url: Callable[[], Awaitable[str]],
        handle: Handle,
        log: Any,
        *,
        pause: float = 0.5,
        proxy: str | None = None,
    ) -> None:
        self._open_url, self._handle, self._log = open_url, handle, log
        self._pause, self._proxy = pause, proxy
        self._open: set[asyncio.Task[None]] = set()

    async def run(self, session: aiohttp.ClientSession) -> None:
        """Until cancelled, or until Slack rejects the app token."""
        try:
            await self._keep(session)
        finally:
            for connection in self._open:
                connection.cancel()
            await asyncio.gather(*self._open, return_exceptions=True)

    async def _keep(self, session: aiohttp.ClientSession) -> None:
        pause = self._pause
        while True:
            connection = _Connection(self._handle, self._log)
            try:
                await self._once(session, connection)
                pause = self._pause
                continue
            except Refused as error:
                if error.code in REJECTED:
                    self._log.error(
                        "slack_app_token_rejected",
                        code=error.code,
                        do="Set SLACK_APP_TOKEN to an app-level token with connections:write.",
                    )
                    return
                self._log.warning("slack_socket_refused", error=str(error), again_in_s=pause)
            except (ChannelError, aiohttp.ClientError, OSError, TimeoutError) as error:
                if connection.greeted:
                    pause = self._pause  # one that worked says nothing against the next
                cause = str(error) or type(error).__name__
                self._log.warning("slack_socket_lost", error=cause, again_in_s=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST)

    async def _once(self, session: aiohttp.ClientSession, connection: "_Connection") -> None:
        """Returns when Slack asks for a new one, while what still comes over this one is taken;
        raises when it breaks."""
        url = await self._open_url()
        work = asyncio.create_task(connection.run(session, url, self._proxy))
        self._open.add(work)
        work.add_done_callback(self._open.discard)
        renewed = asyncio.create_task(connection.renewed.wait())
        try:
            await asyncio.wait((work, renewed), return_when=asyncio.FIRST_COMPLETED)
        finally:
            renewed.cancel()
        if not connection.renewed.is_set():
            await work


class _Connection:
    """One websocket: `greeted` once it works, `renewed` once Slack asks for another."""

    def __init__(self, handle: Handle, log: Any) -> None:
        self._handle, self._log = handle, log
        self.greeted, self.renewed = False, asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, session: aiohttp.ClientSession, url: str, proxy: str | None) -> None:
        # Slack warns before it closes; an unanswered ping for 20 s means that it is gone.
        options: Any = {"heartbeat": 20.0, "max_msg_size": 16 << 20, "proxy": proxy}
        async with session.ws_connect(url, **options) as ws:
            try:
                await self._listen(ws)
            finally:
                if self._tasks:
                    await asyncio.wait(self._tasks, timeout=_DRAIN)
                for task in self._tasks:
                    task.cancel()

    async def _listen(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        patience = asyncio.timeout(None)
        try:
            async with patience:
                async for frame in ws:
                    if frame.type is not aiohttp.WSMsgType.TEXT:
                        break
                    if self._hear(ws, _envelope(frame.data)):
                        patience.reschedule(asyncio.get_running_loop().time() + _LEAVING)
        except TimeoutError:
            return
        if not self.renewed.is_set():
            raise ChannelUnavailable("the connection was closed")

    def _hear(self, ws: aiohttp.ClientWebSocketResponse, envelope: Mapping[str, Any]) -> bool:
        """Whether Slack asks for another connection."""
        kind = envelope.get("type")
        if kind == "hello":
            self._log.info("slack_socket_open")
            self.greeted = True
        elif kind == "disconnect":
            self._log.info("slack_socket_renewed", reason=envelope.get("reason"))
            self.renewed.set()
            return True
        elif isinstance(envelope.get("envelope_id"), str):
            task = asyncio.create_task(self._take(ws, envelope))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return False

    async def _take(self, ws: aiohttp.ClientWebSocketResponse, envelope: Mapping[str, Any]) -> None:
        envelope_id, payload = envelope["envelope_id"], envelope.get("payload")
        keep, answer = await self._handle(payload if isinstance(payload, dict) else {}, envelope_id)
        if not keep:
            return
        ack = {"envelope_id": envelope_id, **({"payload": answer} if answer else {})}
        try:
            await ws.send_str(json.dumps(ack))
        except (aiohttp.ClientError, OSError) as error:
            # Slack sends it again, and the event id makes that a duplicate.
            self._log.info("slack_ack_not_sent", envelope=envelope_id, error=str(error))


def _envelope(data: str) -> Mapping[str, Any]:
    try:
        found = json.loads(data)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
