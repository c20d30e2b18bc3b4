"""Which arm of a trial a run gets: the sitting's, once it has one, or else a coin's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.model.agent import AgentVersion
from bot.model.run import Run
from bot.model.trial import GONE, SITTING_MS, Arm, Assignment, Trial, assign
from bot.ports.stores import Agents, Evidence, Trials


@dataclass(frozen=True, slots=True)
class Toss:
    trial: Trial
    got: Assignment
    why: str

    @property
    def candidate(self) -> bool:
        return self.got.arm is Arm.CANDIDATE

    def told(self) -> Mapping[str, object]:
        """As JSON values, for the route's step."""
        return {
            "ref": self.trial.ref,
            "arm": self.got.arm.value,
            "propensity": self.got.propensity,
            "why": self.why,
        }


class Assigning:
    def __init__(self, trials: Trials, evidence: Evidence, agents: Agents) -> None:
        self._trials, self._evidence, self._agents = trials, evidence, agents

    async def running(self, workspace: str) -> Sequence[Trial]:
        return await self._trials.running(workspace)

    async def candidates(
        self, workspace: str, trial: Trial, roster: Sequence[AgentVersion]
    ) -> list[AgentVersion] | None:
        """The roster as the trial would have it; None where it doesn't fit this one any more."""
        now = {agent.name: agent for agent in roster}
        for name, base in trial.base.items():
            if (now[name].version if name in now else GONE) != base:
                return None
        for name, version in trial.overlay.items():
            now.pop(name, None)
            if version == GONE:
                continue
            made = await self._agents.version(workspace, name, version)
            if made is None:
                return None
            now[name] = made
        return [now[name] for name in sorted(now)]

    async def toss(self, run: Run, trial: Trial) -> Toss:
        """The same for every run of a sitting, whatever the share has become since."""
        if trial.home and run.conversation == trial.home:
            return Toss(trial, Assignment(Arm.CANDIDATE, 1.0), "it was asked for here")
        since = run.created_at - SITTING_MS + 1
        had = await self._evidence.sitting(run.workspace, run.conversation, trial.id, since)
        if had is not None:
            return Toss(trial, had, "as before in this conversation")
        # Two messages at once, of which neither sees the other, get the same.
        unit = f"{run.conversation}\x1f{run.created_at // SITTING_MS}"
        got = assign(trial.id, unit, trial.share)
        return Toss(trial, got, f"by a coin of {trial.share:.0%}")
