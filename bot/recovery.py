"""What the living do with what a dead node left: go on with its runs, settle its sends."""

from collections.abc import Sequence

import structlog

from bot.dispatch.inbox import Dispatcher
from bot.errors import StorageError
from bot.model.delivery import Delivery
from bot.model.run import Run, RunKind
from bot.ports.durable import Durable
from bot.ports.stores import Runs
from bot.sender import Sender

log = structlog.get_logger()

_ANSWERED = (RunKind.REQUEST, RunKind.COMMAND)


class Recovery:
    """Jobs' runs are left to the durable engine, which resumes the work behind them."""

    def __init__(self, runs: Runs, inbox: Dispatcher, sender: Sender, durable: Durable) -> None:
        self._runs, self._inbox, self._sender, self._durable = runs, inbox, sender, durable

    async def take_runs(self, runs: Sequence[Run]) -> None:
        """Oldest first, so that each conversation keeps its order."""
        for run in runs:
            if run.kind in _ANSWERED:
                self._inbox.resume(run, await self._runs.steps(run.workspace, run.id))

    def take_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        self._sender.put(deliveries)

    async def node_dead(self, node: str) -> None:
        taken = await self._durable.take_over(node)
        if taken:
            log.info("workflows_taken_over", node=node, count=taken)

    async def node_changed(self, node: str) -> None:
        try:
            await self._durable.rejoin(node)
        except StorageError as error:
            log.error("durable_engine_down", cause=str(error))
