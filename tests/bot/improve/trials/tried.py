"""What tests of trials do: approve a change, let runs come in, look, and read what became of it."""

from dataclasses import dataclass, replace

from sqlalchemy import insert

from bot.model.agent import AgentVersion
from bot.model.message import Reply
from bot.model.proposal import Proposal
from bot.model.run import Outcome, RunKind
from bot.model.trial import Arm, Trial
from storage.rows import run_row
from storage.tables import runs
from tests import samples
from tests.commands.stage import WORKSPACE, Stage


@dataclass(frozen=True, slots=True)
class Tried:
    stage: Stage

    async def approved(
        self, words: str = "lesson: be brief", agent: str = "generalist", ref: str = "P1"
    ) -> Reply:
        """The member's change about an answer of this agent, approved by the owner in Slack."""
        run = await self.stage.asked("Hello", "Hi", agent=agent)
        await self.stage.say("member", f"/better {run.short} {words}")
        return await self.say(f"/approve {ref}")

    async def say(self, text: str, who: str = "owner") -> Reply:
        """Its run is in the log, as a verdict looks for it there."""
        address = {"channel": "C1", "thread_ts": "1.1", "user": "U1"}
        said = samples.run(kind=RunKind.COMMAND, message=text, channel="slack", address=address)
        async with self.stage.db.write() as conn:
            await conn.execute(insert(runs).values(run_row(said)))
        return await self.stage.say(who, text, id=said.id, channel="slack", address=address)

    async def look(self) -> str:
        return await self.stage.services.trying.go_on(WORKSPACE)

    async def rated(self, good: int, bad: int, arm: Arm, ref: str = "T1") -> None:
        """So many rated requests, each in a conversation of its own and by one of nine people."""
        trial = await self.trial(ref)
        versions = trial.overlay if arm is Arm.CANDIDATE else trial.base
        for number in range(good + bad):
            await self.stage.asked(
                "What?",
                "That.",
                conversation=f"{arm}-{self.stage.clock.now()}",
                by="member" if number % 2 else "other",
                agent=trial.agent,
                agent_version=versions[trial.agent],
                trial=trial.id,
                arm=arm.value,
                propensity=0.5,
                outcome=Outcome(float(number < good), "rating"),
            )

    async def decided(self, better: bool) -> None:
        """Enough for a verdict, arms in turn."""
        for _ in range(40):
            await self.rated(int(better), int(not better), Arm.CANDIDATE)
            await self.rated(int(not better), int(better), Arm.INCUMBENT)

    async def trial(self, ref: str = "T1") -> Trial:
        found = await self.stage.services.trials.get(WORKSPACE, ref)
        assert found is not None
        return found

    async def proposal(self, ref: str = "P1") -> Proposal:
        found = await self.stage.services.proposals.get(WORKSPACE, ref)
        assert found is not None
        return found

    async def agent(self, name: str = "generalist") -> AgentVersion:
        agents = await self.stage.services.agents.current(WORKSPACE)
        return next(a for a in agents if a.name == name)

    async def edited(self, name: str = "generalist") -> None:
        """Another version became current."""
        now = await self.agent(name)
        changed = replace(now, instructions=f"{now.instructions} And be kind.")
        await self.stage.services.agents.deploy(
            WORKSPACE, changed, base=now.version, source="by hand"
        )

    def verdicts(self) -> list[str]:
        """What was said of ended trials, and where."""
        placed = self.stage.post.placed.items()
        return [reply.text for key, (_, _, reply) in placed if "/verdict:" in key]
