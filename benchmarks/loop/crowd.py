"""The simulated team, talking to the product as any channel's people do: through its inbox."""

from dataclasses import dataclass, field

from benchmarks.loop.clock import SimulatedClock
from benchmarks.loop.policies import Policy
from bot.app import App
from bot.llm.simulated.asking import Asked
from bot.model.message import Message, Sender
from bot.model.run import Run, RunStatus
from bot.model.workspace import HOME
from jobs import SCHEDULE

_CHANNEL = "api"
AGENT = "generalist"
"""Whom requests are sent to: whom the changes are about. Who is asked isn't what is measured."""

_WITHIN = 120.0


class Broken(Exception):
    """The product did what it must not do; the benchmark has no figure then."""


@dataclass(slots=True)
class Crowd:
    app: App
    clock: SimulatedClock
    events: int = 0
    jobs_failed: list[str] = field(default_factory=list)

    async def ask(self, asked: Asked, runs_per_conversation: int) -> Run:
        event = f"request-{asked.number}"
        alone = runs_per_conversation == 1
        place = event if alone else f"conversation-{asked.conversation}"
        return await self._say(asked.text, _person(asked.person), event, place, AGENT)

    async def rate(self, person: int, run: str, vote: int) -> None:
        """By the button under the answer."""
        said = f"/rate {run} {'up' if vote > 0 else 'down'}"
        rated = await self._press(said, _person(person))
        if rated.status is not RunStatus.SUCCEEDED:
            raise Broken(f"{said}: {rated.status} {rated.error_message}")

    async def owner(self, said: str) -> Run:
        return await self._press(said, Sender("owner", "owner", trusted_local=True))

    async def work(self, job: str) -> str:
        """One tick of a job, with its run in the log; what it said."""
        runs = self.app.job_runs
        event = f"{job}@{self.clock.now()}"
        run = await runs.open(HOME, job, event)
        try:
            said = await SCHEDULE[job].work(self.app.services, HOME, run)
        except Exception as error:
            kind = type(error).__name__
            self.jobs_failed.append(f"{job}: {kind}: {error}")
            await runs.close(HOME, run, RunStatus.FAILED, "", kind, str(error))
            return ""
        await runs.close(HOME, run, RunStatus.SUCCEEDED, said)
        return said

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


def _person(number: int) -> Sender:
    return Sender(f"person-{number}", f"Person {number}")


def settings(url: str, home: str, prices: str, model: str, policy: Policy) -> dict[str, str]:
    """The environment of the product under test: no budget ever says no. A model scores replays;
    of live answers people are the only judges."""
    scopes = ("RUN", "DAY", "MONTH", "AGENT_DAY", "AGENT_MONTH", "PERSON_DAY", "PERSON_MONTH")
    return {
        "RATCHET_HOME": home,
        "RATCHET_PRICES": prices,
        "OPENAI_BASE_URL": url,
        "OPENAI_API_KEY": "simulated",
        "RATCHET_MODEL": model,
        "RATCHET_JUDGE_MODEL": model,
        "RATCHET_JUDGE_SHARE": "0",
        "RATCHET_REPLAY_PAIRS": "60" if policy.replays else "0",
        "RATCHET_TRIALS": policy.trials,
        **{f"RATCHET_BUDGET_{scope}": "1000000" for scope in scopes},
    }
