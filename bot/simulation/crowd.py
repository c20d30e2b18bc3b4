"""The simulated team, talking to the product as any channel's people do: through its inbox."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bot.app import App
from bot.llm.simulated.asking import Asked
from bot.model.message import Message, Sender
from bot.model.run import Run, RunStatus
from bot.model.workspace import HOME
from bot.simulation.clock import SimulatedClock
from bot.wiring import tick

_CHANNEL = "api"
AGENT = "generalist"
"""Whom requests are sent to: whom the changes are about. Who is asked isn't what is measured."""

_WITHIN = 120.0

Named = Callable[[int], str]


class Broken(Exception):
    """The product did what it must not do; whoever simulates has no figure then."""


@dataclass(slots=True)
class Crowd:
    """`named` says how a person of the world is called."""

    app: App
    clock: SimulatedClock
    named: Named = "Person {}".format
    events: int = 0
    jobs_failed: list[str] = field(default_factory=list)

    async def ask(self, asked: Asked, runs_per_conversation: int, agent: str = AGENT) -> Run:
        event = f"request-{asked.number}"
        alone = runs_per_conversation == 1
        place = event if alone else f"conversation-{asked.conversation}"
        return await self._say(asked.text, self._person(asked.person), event, place, agent)

    async def rate(self, person: int, run: str, vote: int, why: str = "") -> None:
        """By the button under the answer."""
        await self.say(person, f"/rate {run} {'up' if vote > 0 else 'down'} {why}".rstrip())

    async def say(self, person: int, said: str) -> Run:
        """A command that a member says. Raises Broken where it fails."""
        return _worked(said, await self._press(said, self._person(person)))

    async def owner(self, said: str) -> Run:
        return await self._press(said, Sender("owner", "owner", trusted_local=True))

    async def work(self, job: str) -> str:
        """One tick of a job, with its run in the log; what it said, "" where it failed."""
        try:
            return await tick(self.app, job)
        except Exception as error:
            self.jobs_failed.append(f"{job}: {type(error).__name__}: {error}")
            return ""

    async def _press(self, said: str, sender: Sender) -> Run:
        self.events += 1
        event = f"press-{self.events}"
        return await self._say(said, sender, event, event, None)

    async def _say(
        self, text: str, sender: Sender, event: str, place: str, agent: str | None
    ) -> Run:
        message = Message(
            workspace=HOME,
            channel=_CHANNEL,
            event_id=event,
            conversation=f"{_CHANNEL}:{place}",
            sender=sender,
            text=text,
            agent=agent,
            sent_at=self.clock.now(),
            never_expires=True,
        )
        accepted = await self.app.inbox.accept(message)
        return await self.app.inbox.wait(HOME, accepted.run_id, _WITHIN)

    def _person(self, number: int) -> Sender:
        return Sender(f"person-{number}", self.named(number))


def _worked(said: str, run: Run) -> Run:
    if run.status is not RunStatus.SUCCEEDED:
        raise Broken(f"{said}: {run.status} {run.error_message}")
    return run
