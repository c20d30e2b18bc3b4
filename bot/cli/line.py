"""The line to Ratchet: the server that holds the data folder, or one of our own for a moment."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from bot import config
from bot.cli.remote import Remote
from bot.clock import SystemIds
from bot.config import Settings
from bot.lock import known_api_key, running


class Line(Protocol):
    """What can be said and asked; runs as the HTTP API shows them."""

    @property
    def url(self) -> str:
        """The server's address, or ""."""

    def say(self, text: str, agent: str | None, conversation: str) -> dict[str, Any]: ...

    def run(self, ref: str) -> dict[str, Any]:
        """With its "steps". Raises NotFound."""

    def runs(self, limit: int) -> list[dict[str, Any]]: ...


@contextmanager
def open_line() -> Iterator[Line]:
    """Raises ConfigError, Held or what keeps the server from starting."""
    settings = config.load()
    remote = server(settings)
    if remote is not None:
        yield remote
        return
    module = importlib.import_module("bot.cli.embedded")  # with all that a server is made of
    with module.Embedded(settings) as embedded:
        yield embedded


def server(settings: Settings) -> Remote | None:
    """The running server on this data, if one serves."""
    holder = running(settings.home)
    if holder is None or not holder.url:
        return None
    return Remote(holder.url, known_api_key(settings), SystemIds().token)
