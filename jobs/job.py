"""What a job is: when it runs, what it does, and the log of its runs."""

import asyncio
from dataclasses import dataclass, replace

from bot.errors import Conflict, Fenced, StorageError
from bot.model.job import Schedule, conversation_of
from bot.model.run import Outcome, Run, RunKind, RunStatus, Usage
from bot.ports.clock import Clock, Ids
from bot.ports.stores import Closing, Journal, Runs
from bot.services import JobWork

_TRIES, _PAUSE = 20, 0.5


@dataclass(frozen=True, slots=True)
class Job:
    """`work` is called once for each workspace; done twice it must do no more than once."""

    work: JobWork
    schedule: Schedule


class JournalRuns:
    """Runs of jobs through the run log's writer."""

    def __init__(self, journal: Journal, runs: Runs, clock: Clock, ids: Ids, node: str) -> None:
        self._journal, self._runs = journal, runs
        self._clock, self._ids, self._node = clock, ids, node

    async def open(self, workspace: str, job: str, event_id: str) -> str:
        now = self._clock.now()
        run = Run(
            id=self._ids.run_id(),
            workspace=workspace,
            kind=RunKind.JOB,
            status=RunStatus.RUNNING,
            channel="job",
            event_id=event_id,
            conversation=conversation_of(job),
            person="",
            message=job,
            created_at=now,
            started_at=now,
            node=self._node,
        )
        return (await self._journal.accept(run)).run_id

    async def close(
        self,
        workspace: str,
        run_id: str,
        status: RunStatus,
        said: str,
        error_type: str = "",
        error_message: str = "",
    ) -> None:
        closing = Closing(
            status,
            self._clock.now(),
            answer=said,
            outcome=Outcome(0.0 if error_type else 1.0, "error" if error_type else "check"),
            error_type=error_type,
            error_message=error_message,
        )
        # The durable engine decides who works on a tick. A reaper may have raised the attempt of
        # a dead node's run meanwhile, or this node may be between two leases: the run as it
        # stands then is ours to close.
        for tries in range(_TRIES):
            run = await self._runs.get(workspace, run_id)
            if run is None or run.finished_at:
                return
            steps = await self._runs.steps(workspace, run_id)
            spent = sum((step.usage for step in steps), Usage())
            try:
                ended = replace(run, node=self._node, usage=spent)
                return await self._journal.close_run(ended, closing)
            except Conflict:
                return
            except (Fenced, StorageError):
                if tries == _TRIES - 1:
                    raise
                await asyncio.sleep(_PAUSE)
