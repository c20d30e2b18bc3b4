"""Which agent and version a request gets, from what the conversation and the roster say."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from bot.agents.router import Decision, Router
from bot.dispatch.foresight import Predict, foreseen
from bot.errors import RatchetError
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
        predict: Predict | None = None,
    ) -> None:
        self._agents, self._conversations, self._runs = agents, conversations, runs
        self._clock, self._roster, self._predict = clock, roster, predict
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
        """Raises NotFound for an agent asked for that isn't there."""
        router = await self._router(run.workspace)
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
        return decision

    async def _chosen(self, run: Run, choose: Choose) -> Decision | None:
        agents = await self._agents.current(run.workspace)
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

    async def _router(self, workspace: str) -> Router:
        agents = await self._agents.current(workspace)
        if not agents:  # a workspace that was never seen before
            await self._agents.seed(workspace, self._roster)
            agents = await self._agents.current(workspace)
        known = self._routers.get(workspace)
        if known is None or known[0] != agents:
            known = self._routers[workspace] = (agents, Router(agents))
        return known[1]
