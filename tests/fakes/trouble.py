"""What goes wrong with a platform's answer, whatever the method: by the words that are to be shown.

A kind is "429", "500", "refused" (for good), "cut" (the connection breaks, nothing done), "hold"
(no answer until the caller is gone, nothing done), or "cut_after" and "hold_after", where the work
is done and only the answer is missing.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

AFTER = ("cut_after", "hold_after")


@dataclass
class Trouble:
    """Meets the next `times` calls in which `about` can be read."""

    about: str
    kind: str
    times: int = 1
    retry_after: int = 1


@dataclass
class Troubles:
    waiting: list[Trouble] = field(default_factory=list)
    met: list[Trouble] = field(default_factory=list)
    holding: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while a call is held."""

    def add(self, about: str, kind: str, times: int = 1, retry_after: int = 1) -> None:
        self.waiting.append(Trouble(about, kind, times, retry_after))

    def of(self, args: object) -> Trouble | None:
        if not self.waiting:
            return None
        said = json.dumps(args, default=str)
        found = next((t for t in self.waiting if t.about in said), None)
        if found is None:
            return None
        self.met.append(found)
        found.times -= 1
        if found.times <= 0:
            self.waiting.remove(found)
        return found

    async def happens(
        self,
        trouble: Trouble,
        request: web.Request,
        work: Callable[[], Awaitable[object]],
        refusal: Callable[[Trouble], web.Response],
    ) -> web.Response:
        """`refusal` words the platform's "429", "500" and "refused"."""
        if trouble.kind in AFTER:
            await work()
        if trouble.kind.startswith("hold"):
            self.holding.set()
            while request.transport is not None and not request.transport.is_closing():
                await asyncio.sleep(0.02)
            self.holding.clear()
            return web.Response()
        if trouble.kind.startswith("cut"):
            if request.transport:
                request.transport.close()
            return web.Response()
        return refusal(trouble)
