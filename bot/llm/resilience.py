"""What to do when a model server fails for now: wait, try again, and show nothing twice."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TypeVar

from bot.errors import ModelError
from bot.ports.models import OnDelta

T = TypeVar("T")

RESTARTED = (
    "\n\n(The connection to the model broke off. Here is the answer from its beginning.)\n\n"
)


@dataclass(frozen=True, slots=True)
class Patience:
    """Doubling waits with jitter. `chance` gives numbers in [0, 1).

    A server that asks for a wait is given at least that; one that asks for more than `longest`
    seconds isn't tried again here, because a person is waiting.
    """

    retries: int
    chance: Callable[[], float]
    first: float = 0.5
    longest: float = 30.0
    sleep: Callable[[float], Awaitable[object]] = field(default=asyncio.sleep)

    def wait(self, attempt: int, asked: float | None) -> float | None:
        """Seconds to wait after the failed `attempt` (from 0), or None to give up."""
        if attempt >= self.retries or (asked is not None and asked > self.longest):
            return None
        backoff = min(self.first * 2.0**attempt, self.longest) * (0.5 + self.chance() / 2)
        return max(backoff, asked or 0.0)

    async def persist(self, call: Callable[[], Awaitable[T]]) -> T:
        """Calls until it succeeds, fails for good, or patience ends; raises the last error."""
        attempt = 0
        while True:
            try:
                return await call()
            except ModelError as error:
                wait = self.wait(attempt, error.retry_after) if error.retry else None
                if wait is None:
                    raise
            await self.sleep(wait)
            attempt += 1


def retry_after(headers: Mapping[str, str], now_ms: int) -> float | None:
    """Seconds from `retry-after-ms` or `retry-after` (seconds or an HTTP date), if sensible."""
    try:
        if ms := headers.get("retry-after-ms"):
            seconds = float(ms) / 1000
        elif (value := headers.get("retry-after", "")).strip().replace(".", "", 1).isdigit():
            seconds = float(value)
        else:
            seconds = parsedate_to_datetime(value).timestamp() - now_ms / 1000
    except (ValueError, TypeError, OverflowError):
        return None
    return max(seconds, 0.0) if seconds < 1e9 else None


class Shown:
    """Passes text on as it comes, over several attempts at the same answer.

    A later attempt that begins with what a person has seen goes on silently where that ended; one
    that differs says that it starts again and shows its text from the beginning.
    """

    def __init__(self, on_delta: OnDelta) -> None:
        self._on_delta = on_delta
        self._shown = ""
        self._now: list[str] = []
        self._catching_up = False

    def restart(self) -> None:
        """A new attempt begins."""
        self._shown = self._text() if not self._catching_up else self._shown
        self._now, self._catching_up = [], bool(self._shown)

    def __call__(self, delta: str) -> None:
        self._now.append(delta)
        if not self._catching_up:
            self._on_delta(delta)
            return
        text = self._text()
        if self._shown.startswith(text):
            return
        self._catching_up = False
        goes_on = text.startswith(self._shown)
        self._on_delta(text[len(self._shown) :] if goes_on else RESTARTED + text)

    def _text(self) -> str:
        return "".join(self._now)
