"""The engine for what is long or goes on by itself: it survives a kill at any instant."""

from collections.abc import Awaitable, Callable
from typing import Protocol

Work = Callable[..., Awaitable[object]]


class Durable(Protocol):
    """Named workflows with ids: starting the same id twice is starting it once."""

    def register(self, name: str, work: Work) -> None:
        """Makes `work` startable by name; before `launch` only. Arguments are JSON values."""

    async def launch(self) -> None:
        """Connects, and resumes what this node left unfinished."""

    async def close(self) -> None: ...

    async def start(self, name: str, workflow_id: str, *args: object) -> None:
        """Starts unless a workflow of this id exists; returns once it is recorded."""

    async def step(self, name: str, work: Work, *args: object) -> object:
        """Inside a workflow: does `work` once; a resumed workflow gets the recorded result."""

    async def sleep(self, seconds: float) -> None:
        """Inside a workflow: a wait that survives a restart."""

    async def receive(self, topic: str, timeout: float) -> object | None:
        """Inside a workflow: the next value sent to it on `topic`, None after `timeout` s."""

    async def send(self, workflow_id: str, topic: str, value: object) -> None: ...

    async def result(self, workflow_id: str, timeout: float) -> object:
        """The workflow's result; raises what it raised, or TimeoutError."""

    async def status(self, workflow_id: str) -> str | None:
        """ "pending", "done", "failed", "cancelled", or None if there is no such workflow."""

    async def take_over(self, dead_node: str) -> int:
        """Resumes what a dead node left unfinished; returns how many workflows."""

    async def rejoin(self, node: str) -> None:
        """Goes on as another node, once this one was declared dead: what it worked on, the living
        have by now."""

    async def forget(self, before: int) -> int:
        """Removes workflows that ended before this ms; their ids may be started anew."""
