"""Order within a conversation, freedom between them."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

Job = Callable[[], Awaitable[None]]


class Lanes:
    """A lane per conversation; it exists only while it holds something to do."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[tuple[str, Job]]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        """By run id: the task that is at work on it."""
        self._drivers: set[asyncio.Task[None]] = set()

    def free(self, lane: str) -> bool:
        return lane not in self._waiting

    def put(self, lane: str, run_id: str, job: Job) -> None:
        """Does `job` once everything put into the lane before it is done. What a job raises is
        its own affair: it must not raise."""
        if lane in self._waiting:
            self._waiting[lane].append((run_id, job))
            return
        self._waiting[lane] = deque([(run_id, job)])
        self._hold(asyncio.create_task(self._drive(lane)))

    def at_once(self, run_id: str, job: Job) -> None:
        """Does `job` beside whatever its conversation is busy with."""
        self._hold(asyncio.create_task(self._do(run_id, job)))

    def cancel(self, run_id: str) -> bool:
        """Cancels the work on a run; False if none is at work on it here."""
        task = self._tasks.get(run_id)
        return bool(task and task.cancel())

    def working(self) -> int:
        return len(self._drivers)

    async def drain(self, seconds: float) -> None:
        """Waits for what is under way, then cancels what is left."""
        if self._drivers:
            await asyncio.wait(self._drivers, timeout=seconds)
        self._waiting.clear()
        for task in (*self._tasks.values(), *self._drivers):
            task.cancel()
        await asyncio.gather(*self._drivers, return_exceptions=True)

    def _hold(self, task: asyncio.Task[None]) -> None:
        self._drivers.add(task)
        task.add_done_callback(self._drivers.discard)

    async def _drive(self, lane: str) -> None:
        while queue := self._waiting.get(lane):
            run_id, job = queue[0]
            await self._do(run_id, job)
            if queue:
                queue.popleft()
            if not queue:
                self._waiting.pop(lane, None)

    async def _do(self, run_id: str, job: Job) -> None:
        """In a task of its own, so that cancelling the run leaves the lane alive. It can be
        cancelled only once it has begun: what never began could not say that it was stopped."""

        async def begun() -> None:
            task = asyncio.current_task()
            if task is not None:
                self._tasks[run_id] = task
            try:
                await job()
            finally:
                self._tasks.pop(run_id, None)

        await asyncio.gather(asyncio.ensure_future(begun()), return_exceptions=True)
