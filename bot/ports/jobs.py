"""The run of a job's tick: opened, worked on, closed."""

from typing import Protocol

from bot.model.run import RunStatus


class JobRuns(Protocol):
    """Runs of kind job, in the same log as everyone's."""

    async def open(self, workspace: str, job: str, event_id: str) -> str:
        """The id of the event's run; the same event twice is one run."""

    async def close(
        self,
        workspace: str,
        run_id: str,
        status: RunStatus,
        said: str,
        error_type: str = "",
        error_message: str = "",
    ) -> None:
        """Ends it; a run that is closed already stays as it is."""
