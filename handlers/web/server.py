"""The HTTP server, and connections with bounds: what comes before a body has a size and a time."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Generator
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 512 * 1024
"""More than one read of the transport (256 KiB), in which another request's body may end."""
HEAD_SECONDS = 30.0

_CLOSING_SECONDS = 3

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large"
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout"
_REST = b"\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's own, which would wait for the end of a head for ever, and keep all of it."""

    _waiting: asyncio.TimerHandle | None = None
    _within_head = False
    _head_bytes = 0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._no_longer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        # The transport may hand over what it had read before it was closed.
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self._within_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._refuse(_TOO_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._within_head, self._head_bytes = True, 0
        if self._waiting is None:
            self._wait()

    def on_headers_complete(self) -> None:
        self._within_head = False
        self._no_longer()
        super().on_headers_complete()

    def _wait(self) -> None:
        self._waiting = asyncio.get_running_loop().call_later(HEAD_SECONDS, self._refuse, _TOO_SLOW)

    def _no_longer(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _refuse(self, status: bytes) -> None:
        self._no_longer()
        self._within_head = False
        with contextlib.suppress(OSError):
            self.transport.write(status + _REST)
        self.transport.close()


class Server(uvicorn.Server):
    """Leaves signals to the process, and says when it listens."""

    def __init__(self, config: uvicorn.Config):
        super().__init__(config)
        self.listening, self._leaving = asyncio.Event(), asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    async def main_loop(self) -> None:
        """Wakes once a second for the Date header, and at once to leave."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._leaving.wait()

    def leave(self) -> None:
        self.should_exit = True
        self._leaving.set()


def make_server(app: ASGIApp) -> Server:
    config = uvicorn.Config(
        app,
        http=BoundedProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        # Longer than common clients keep a connection: they, not we, close it first.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_CLOSING_SECONDS,
    )
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    return Server(config)
