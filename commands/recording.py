"""Feedback on a run: kept, and counted as its outcome."""

from bot.command import Ask
from bot.errors import BadInput
from bot.improve.outcome import outcome_of
from bot.model.feedback import Feedback
from bot.model.run import Run
from bot.model.terms import teaches
from bot.services import Services

LONGEST = 2000


async def record(ask: Ask, run: Run, rating: int, text: str, source: str) -> None:
    """The same command run twice is one feedback."""
    must_teach(run)
    services, workspace = ask.services, ask.run.workspace
    await services.feedback.put(
        Feedback(
            id=ask.run.id,
            workspace=workspace,
            run_id=run.id,
            person=ask.person.id,
            rating=rating,
            text=text[:LONGEST],
            source=source,
            created_at=ask.run.created_at,
        )
    )
    await count(services, run)


async def count(services: Services, run: Run) -> None:
    """Makes the feedback on a run its outcome."""
    said = outcome_of(run, await services.feedback.of_run(run.workspace, run.id))
    if said != run.outcome:
        await services.runs.set_outcome(run.workspace, run.id, said, services.clock.now())


def must_teach(run: Run) -> None:
    """Raises BadInput for a run of a channel that nothing may be learned from."""
    if not teaches(run.channel):
        raise BadInput(
            f"run {run.id} is of {run.channel}",
            said=f"Run {run.short} was on {run.channel}: nothing may be learned from there.",
        )
