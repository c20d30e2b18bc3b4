"""Which agent and version a request gets, from what the conversation and the roster say."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from bot.agents.router import Decision, Router, mentioned
from bot.dispatch.assigning import Assigning, Toss
from bot.dispatch.foresight import Predict, foreseen
from bot.errors import Conflict, NotFound, RatchetError
from bot.improve import brake
from bot.improve.brake import Brake
from bot.model.agent import AgentVersion
from bot.model.run import Run, RunStatus, Step, StepKind
from bot.model.trial import Trial
from bot.ports.clock import Clock
from bot.ports.stores import Agents, Conversations, Runs

Choose = Callable[[Sequence[AgentVersion]], Awaitable[str]]
"""Agents → the name of one, or ""."""

_MOST_ROUTERS = 100


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request with what its conversation says: the agent it chose by name, the one that answered
    last. `awake` may take it, `resting` are the names of those that are paused."""

    run: Run
    chosen: str
    last: str
    awake: list[AgentVersion]
    resting: list[str]


class Routing:
    """Looks up what the pure router needs, and remembers an agent chosen by name."""

    def __init__(
        self,
        agents: Agents,
        conversations: Conversations,
        runs: Runs,
        clock: Clock,
        roster: Sequence[AgentVersion],
        brake: Brake,
        assigning: Assigning,
        predict: Predict | None = None,
    ) -> None:
        self._agents, self._conversations, self._runs = agents, conversations, runs
        self._clock, self._roster, self._brake = clock, roster, brake
        self._assigning, self._predict = assigning, predict
        self._load: Counter[str] = Counter()
        self._routers: dict[str, tuple[list[AgentVersion], Router]] = {}

    async def begin(self, run: Run, choose: Choose | None = None) -> tuple[Run, list[Step]]:
        """The run with agent and version, and the step that says why. Where nobody can be found
        the run begins without an agent, and what is wrong is said when it executes.

        `choose` is asked where names, conversation and words don't decide.
        """
        started = self._clock.now()
        running = replace(run, status=RunStatus.RUNNING, started_at=started)
        try:
            asked = await self._asked(run)
            decision = await self._found(asked, asked.awake, choose)
            decision, toss = await self._tried(asked, decision, choose)
            await self._remember(asked, decision)
        except RatchetError:
            return running, []
        agent = decision.agent
        why: dict[str, object] = {"why": decision.why, "scores": decision.scores}
        if decision.predicted:
            why["predicted"] = decision.predicted
        if toss:
            why["trial"] = toss.told()
            running = replace(
                running,
                trial=toss.trial.id,
                arm=toss.got.arm.value,
                propensity=toss.got.propensity,
            )
        took = float(self._clock.now() - started)
        step = Step(0, StepKind.ROUTE, agent.name, started, took, None, why)
        return replace(running, agent=agent.name, agent_version=agent.version), [step]

    async def decide(self, run: Run) -> Decision:
        """By today's roster. Raises NotFound for an agent asked for that isn't there, Conflict for
        one that rests."""
        asked = await self._asked(run)
        decision = self._decided(asked, asked.awake)
        await self._remember(asked, decision)
        return decision

    async def trial_of(self, run: Run) -> Trial | None:
        """The one that the run is in, while it goes on."""
        running = await self._assigning.running(run.workspace)
        return next((trial for trial in running if trial.id == run.trial), None)

    async def _asked(self, run: Run) -> _Asked:
        """Raises Conflict for an agent that is asked for by name and rests."""
        everyone, resting = await self._agents_of(run)
        awake = [agent for agent in everyone if agent.name not in resting]
        chosen = last = ""
        if not run.agent_hint and not run.single:
            chosen = await self._conversations.agent(run.workspace, run.conversation)
            before = await self._runs.history(run.workspace, run.conversation, 1)
            last = before[-1].agent if before else ""
        return _Asked(run, chosen, last, awake, resting)

    def _decided(self, asked: _Asked, agents: list[AgentVersion], name: str = "") -> Decision:
        """`name` is that of the roster, where it isn't today's."""
        run = asked.run
        decision = self._router(f"{run.workspace}\x1f{name}", agents).decide(
            run.message,
            hint=run.agent_hint,
            chosen=asked.chosen,
            last=asked.last,
            load=self._load,
        )
        if asked.resting and not decision.by_name:
            why = f"{decision.why}; paused: {', '.join(asked.resting)}"
            decision = replace(decision, why=why)
        return decision

    async def _found(
        self, asked: _Asked, agents: list[AgentVersion], choose: Choose | None, name: str = ""
    ) -> Decision:
        decision = await foreseen(asked.run, self._decided(asked, agents, name), self._predict)
        if choose and not decision.clear:
            return await _chosen(agents, choose) or decision
        return decision

    async def _tried(
        self, asked: _Asked, decision: Decision, choose: Choose | None
    ) -> tuple[Decision, Toss | None]:
        """What the first trial gives that makes a difference to this request, and its coin."""
        workspace = asked.run.workspace
        running = await self._assigning.running(workspace)
        if not running or await self._brake.frozen(workspace):
            return decision, None
        for trial in running:
            other = await self._other(asked, decision, trial, choose)
            if other is None or other.agent == decision.agent:
                continue
            toss = await self._assigning.toss(asked.run, trial)
            return (other if toss.candidate else decision), toss
        return decision, None

    async def _other(
        self, asked: _Asked, decision: Decision, trial: Trial, choose: Choose | None
    ) -> Decision | None:
        """What a trial's candidate roster comes to; None where it has nothing to say."""
        if trial.agents & set(asked.resting):
            return None
        awake = asked.awake
        agents = await self._assigning.candidates(asked.run.workspace, trial, awake)
        if not agents:
            return None
        if _known_by(agents) == _known_by(awake):
            same = (agent for agent in agents if agent.name == decision.agent.name)
            return replace(decision, agent=next(same))
        try:
            return await self._found(asked, agents, choose, trial.id)
        except NotFound:
            return None

    async def _remember(self, asked: _Asked, decision: Decision) -> None:
        """An agent that was chosen by name stays the conversation's."""
        run, name = asked.run, decision.agent.name
        if decision.by_name and not run.agent_hint and asked.chosen != name:
            await self._conversations.set_agent(run.workspace, run.conversation, name)

    @contextmanager
    def counted(self, agent: str) -> Iterator[None]:
        """Counts an agent's run under way, for the load of later decisions."""
        self._load[agent] += 1
        try:
            yield
        finally:
            self._load[agent] -= 1

    async def _agents_of(self, run: Run) -> tuple[list[AgentVersion], list[str]]:
        """Everyone, and the names of those that rest. Raises Conflict for one that is
        asked for by name, and where all of them rest."""
        workspace = run.workspace
        agents = await self._agents.current(workspace)
        if not agents:  # a workspace that was never seen before
            await self._agents.seed(workspace, self._roster)
            agents = await self._agents.current(workspace)
        paused = await self._brake.paused(workspace)
        resting = [agent.name for agent in agents if agent.name in paused]
        named = (run.agent_hint or mentioned(run.message)).lower()
        nobody = resting[0] if resting and len(resting) == len(agents) else ""
        asked = named if named in resting else nobody
        if asked:
            said = f"{brake.resting(asked, paused[asked])} `/agents resume {asked}` ends that."
            raise Conflict(f"{asked} is paused", said=said)
        return agents, resting

    def _router(self, name: str, agents: list[AgentVersion]) -> Router:
        known = self._routers.get(name)
        if known is None or known[0] != agents:
            if len(self._routers) >= _MOST_ROUTERS:
                self._routers.clear()
            known = self._routers[name] = (agents, Router(agents))
        return known[1]


async def _chosen(agents: Sequence[AgentVersion], choose: Choose) -> Decision | None:
    name = await choose(agents)
    found = [agent for agent in agents if agent.name == name]
    return Decision(found[0], "a model chose it") if found else None


def _known_by(agents: Sequence[AgentVersion]) -> list[tuple[str, str]]:
    """What decides who takes a request."""
    return [(agent.name, agent.specialty) for agent in agents]
