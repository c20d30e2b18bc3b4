"""A node's sign of life, and what the living do for the dead."""

import asyncio
import os
import socket
from collections.abc import Sequence
from typing import Protocol

import structlog

from bot.errors import StorageError
from bot.model.delivery import Delivery
from bot.model.run import Run
from bot.ports.clock import Clock, Ids
from bot.ports.outbox import Nodes

log = structlog.get_logger()

_AT_ONCE = 100


class Heir(Protocol):
    """Takes what a dead node left."""

    async def take_runs(self, runs: Sequence[Run]) -> None: ...

    def take_deliveries(self, deliveries: Sequence[Delivery]) -> None: ...

    async def node_dead(self, node: str) -> None: ...

    async def node_changed(self, node: str) -> None:
        """This process was declared dead and goes on as another node."""


class Lease:
    """Holds this node's lease, renews it three times a term, and takes over from nodes whose
    lease has lapsed for half a term more: a node stops writing before another begins.

    `alone` says that one process holds the data (SQLite): then every other node is dead.
    """

    def __init__(
        self,
        nodes: Nodes,
        clock: Clock,
        ids: Ids,
        *,
        seconds: float,
        alone: bool,
        version: str,
    ) -> None:
        self._nodes, self._clock, self._ids = nodes, clock, ids
        self._seconds, self._alone, self._version = seconds, alone, version
        self._heir: Heir | None = None
        self._until = (0.0, 0)
        self._renewing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._changing: asyncio.Task[None] | None = None
        self.node = ids.run_id()

    async def start(self, heir: Heir) -> None:
        """Registers, then hands `heir` what is left of former nodes, now and from now on."""
        self._heir = heir
        await self._register()
        if self._alone:
            await self._nodes.end_others(self.node)
        await self._take_over()
        self._task = asyncio.create_task(self._beat_forever(), name="lease")

    async def stop(self) -> None:
        """Gives the lease back: what is still open may be taken over at once."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            await self._nodes.release(self.node)
            self._task = None

    async def valid(self) -> bool:
        """Whether this node may write and send right now; renews a lapsed lease if it still can.

        Both clocks count: the monotonic one goes on while the process is paused, the wall clock
        while the machine sleeps.
        """
        if self._alone:
            return True
        monotonic, wall = self._until
        if self._clock.monotonic() < monotonic and self._clock.now() < wall:
            return True
        try:
            return await self._renew()
        except StorageError:
            return False

    async def _register(self) -> None:
        before = self._clock.monotonic()
        now = self._clock.now()
        await self._nodes.register(
            self.node,
            host=socket.gethostname(),
            pid=os.getpid(),
            now=now,
            lease_until=now + self._term,
            version=self._version,
        )
        self._until = (before + self._seconds, now + self._term)

    @property
    def _term(self) -> int:
        return round(self._seconds * 1000)

    async def _renew(self) -> bool:
        async with self._renewing:
            before, now = self._clock.monotonic(), self._clock.now()
            if await self._nodes.renew(self.node, now + self._term):
                self._until = (before + self._seconds, now + self._term)
                return True
            # Another node has taken over. What this one still does is refused by its attempt
            # number; it goes on as a new node.
            log.warning("lease_lost", node=self.node)
            self.node = self._ids.run_id()
            await self._register()
            if self._heir is not None:
                self._changing = asyncio.create_task(self._heir.node_changed(self.node))
            return False

    async def _beat_forever(self) -> None:
        while True:
            await asyncio.sleep(self._seconds / 3)
            try:
                await self._renew()
                await self._take_over()
            except StorageError as error:
                log.warning("lease_waits", cause=str(error))
            except Exception:
                log.exception("lease_broke")

    async def _take_over(self) -> None:
        heir, now = self._heir, self._clock.now()
        if heir is None:
            return
        for dead in await self._nodes.reap(self.node, now - self._term // 2):
            log.debug("node_taken_over", node=dead)
            await heir.node_dead(dead)
        while runs := await self._nodes.claim_runs(self.node, _AT_ONCE):
            log.info("runs_taken_over", count=len(runs))
            await heir.take_runs(runs)
        while deliveries := await self._nodes.claim_deliveries(self.node, _AT_ONCE):
            heir.take_deliveries(deliveries)
