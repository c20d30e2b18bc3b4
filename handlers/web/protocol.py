"""HTTP connections with bounds: what comes before a request's body has a size and a time."""

import asyncio
import contextlib
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 512 * 1024
"""More than one read of the transport (256 KiB), in which another request's body may end."""
HEAD_SECONDS = 30.0

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
