"""Which agent and version a request gets, from what the conversation and the roster say."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from bot.agents.router import Decision, Router, mentioned
from bot.dispatch.foresight import Predict, foreseen
from bot.errors import Conflict, RatchetError
from bot.improve import brake
from bot.improve.brake import Brake
from bot.model.agent import AgentVersion
from bot.model.run import Run, RunStatus, Step, StepKind
from bot.ports.clock import Clock
from bot.ports.stores import Agents, Conversations, Runs

Choose = Callable[[Sequence[AgentVersion]], Awaitable[str]]
"""Agents → the name of one, or ""."""


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
        predict: Predict | None = None,
    ) -> None:
        self._agents, self._conversations, self._runs = agents, conversations, runs
        self._clock, self._roster, self._brake = clock, roster, brake
        self._predict = predict
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
            decision = await foreseen(run, await self.decide(run), self._predict)
            if choose and not decision.clear:
                decision = await self._chosen(run, choose) or decision
        except RatchetError:
            return running, []
        agent = decision.agent
        why: dict[str, object] = {"why": decision.why, "scores": decision.scores}
        if decision.predicted:
            why["predicted"] = decision.predicted
        took = float(self._clock.now() - started)
        step = Step(0, StepKind.ROUTE, agent.name, started, took, None, why)
        return replace(running, agent=agent.name, agent_version=agent.version), [step]

    async def decide(self, run: Run) -> Decision:
        """Raises NotFound for an agent asked for that isn't there, Conflict for one that rests."""
        agents, paused = await self._agents_of(run)
        router = self._router(run.workspace, agents)
        chosen = last = ""
        if not run.agent_hint and not run.single:
            chosen = await self._conversations.agent(run.workspace, run.conversation)
            before = await self._runs.history(run.workspace, run.conversation, 1)
            last = before[-1].agent if before else ""
        decision = router.decide(
            run.message, hint=run.agent_hint, chosen=chosen, last=last, load=self._load
        )
        if decision.by_name and not run.agent_hint and chosen != decision.agent.name:
            await self._conversations.set_agent(
                run.workspace, run.conversation, decision.agent.name
            )
        if paused and not decision.by_name:
            decision = replace(decision, why=f"{decision.why}; paused: {', '.join(paused)}")
        return decision

    async def _chosen(self, run: Run, choose: Choose) -> Decision | None:
        agents, _ = await self._agents_of(run)
        name = await choose(agents)
        found = [agent for agent in agents if agent.name == name]
        return Decision(found[0], "a model chose it") if found else None

    @contextmanager
    def counted(self, agent: str) -> Iterator[None]:
        """Counts an agent's run under way, for the load of later decisions."""
        self._load[agent] += 1
        try:
            yield
        finally:
            self._load[agent] -= 1

    async def _agents_of(self, run: Run) -> tuple[list[AgentVersion], list[str]]:
        """Who may take it, and the names of those that rest. Raises Conflict for one that is
        asked for by name, and where all of them rest."""
        workspace = run.workspace
        agents = await self._agents.current(workspace)
        if not agents:  # a workspace that was never seen before
            await self._agents.seed(workspace, self._roster)
            agents = await self._agents.current(workspace)
        paused = await self._brake.paused(workspace)
        resting = [agent.name for agent in agents if agent.name in paused]
        awake = [agent for agent in agents if agent.name not in paused]
        named = (run.agent_hint or mentioned(run.message)).lower()
        asked = named if named in resting else resting[0] if resting and not awake else ""
        if asked:
            said = f"{brake.resting(asked, paused[asked])} `/agents resume {asked}` ends that."
            raise Conflict(f"{asked} is paused", said=said)
        return awake, resting

    def _router(self, workspace: str, agents: list[AgentVersion]) -> Router:
        known = self._routers.get(workspace)
        if known is None or known[0] != agents:
            known = self._routers[workspace] = (agents, Router(agents))
        return known[1]
