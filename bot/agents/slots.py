"""So many at a time; the rest wait, and whoever came to Ratchet first goes first."""

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Slots:
    """A semaphore whose waiters are woken by run id: ids are in the order of acceptance, arrivals
    here are not, for each run has read the database on its way."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: list[tuple[str, int, asyncio.Future[None]]] = []
        self._arrivals = 0

    @asynccontextmanager
    async def taken(self, run_id: str) -> AsyncIterator[None]:
        if self._free > 0:
            self._free -= 1
        else:
            await self._turn(run_id)
        try:
            yield
        finally:
            self._pass_on()

    async def _turn(self, run_id: str) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._arrivals += 1
        heapq.heappush(self._waiting, (run_id, self._arrivals, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._pass_on()  # it came in the moment of the cancellation
            raise

    def _pass_on(self) -> None:
        while self._waiting:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
