"""An answer while it grows: what a run has said and done so far, shown at a bearable pace."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Literal

from bot.errors import ChannelError, ChannelUnavailable
from bot.events import Events
from bot.ports.channels import Event


@dataclass(frozen=True, slots=True)
class Doing:
    """One step of the run. `ms` is how long it took, 0 while it is busy."""

    seq: int
    kind: str
    name: str
    state: Literal["busy", "done", "failed"] = "busy"
    ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Progress:
    """`text` ends with a whole word; the next one may still grow."""

    text: str = ""
    steps: tuple[Doing, ...] = ()


Show = Callable[[Progress], Awaitable[None]]
"""Shows it on the platform. ChannelUnavailable: not now; any other ChannelError: never mind."""


class Growing:
    """Follows one run from the moment it is made, until the run is done or `settle` is called.

    `pause` is the least number of seconds between two calls of `show`; `redact` is applied to the
    text before anyone sees it.
    """

    def __init__(
        self,
        events: Events,
        run_id: str,
        show: Show,
        *,
        redact: Callable[[str], str],
        pause: float,
        log: Any,
    ) -> None:
        self._show, self._redact, self._pause, self._log = show, redact, pause, log
        self._said, self._steps = "", dict[int, Doing]()
        self._over = asyncio.Event()
        # Made at once and not in the task: what isn't watched isn't streamed.
        self._watching = events.watch(run_id)
        self._queue = self._watching.__enter__()
        self._task = asyncio.create_task(self._follow(), name=f"growing {run_id}")

    async def settle(self) -> None:
        """Shows nothing more; returns once the last call to the platform is over."""
        self._over.set()
        with suppress(asyncio.CancelledError):
            await asyncio.shield(self._task)

    def leave(self) -> None:
        """Shows nothing more, without waiting for what is under way."""
        self._over.set()

    async def _follow(self) -> None:
        try:
            await self._grow()
        except ChannelError as error:
            self._log.info("growing_not_shown", cause=str(error))
        except Exception as error:  # the answer itself is what matters, and it comes by another way
            self._log.error("growing_broke", error=str(error), exc_info=error)
        finally:
            self._watching.__exit__(None, None, None)

    async def _grow(self) -> None:
        shown = Progress()
        while await self._news():
            progress = self._progress()
            if progress == shown:
                continue
            wait = self._pause
            try:
                await self._show(progress)
                shown = progress
            except ChannelUnavailable as error:
                wait = max(wait, error.retry_after or 0.0)
                self._queue.put_nowait(Event("", "again", {}))
            await self._rest(wait)

    async def _news(self) -> bool:
        """Takes what has come, waiting for the first; False once nothing more is to be shown."""
        getting = asyncio.ensure_future(self._queue.get())
        ending = asyncio.ensure_future(self._over.wait())
        await asyncio.wait((getting, ending), return_when=asyncio.FIRST_COMPLETED)
        ending.cancel()
        if self._over.is_set():
            getting.cancel()
            return False
        self._take(getting.result())
        while not self._queue.empty():
            self._take(self._queue.get_nowait())
        return not self._over.is_set()

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._over.wait()

    def _take(self, event: Event) -> None:
        data = event.data
        if event.kind == "delta":
            self._said += str(data.get("text", ""))
        elif event.kind in ("doing", "step"):
            seq = int(str(data["seq"]))
            step = Doing(seq, str(data["kind"]), str(data["name"]))
            if event.kind == "step":
                state: Literal["done", "failed"] = "failed" if data["error_type"] else "done"
                step = replace(step, state=state, ms=float(str(data["duration_ms"])))
            self._steps[seq] = step
        elif event.kind == "done":
            self._over.set()

    def _progress(self) -> Progress:
        whole = self._said[: max(self._said.rfind(" "), self._said.rfind("\n")) + 1]
        return Progress(self._redact(whole), tuple(self._steps[n] for n in sorted(self._steps)))
