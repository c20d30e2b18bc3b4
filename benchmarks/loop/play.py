"""One seed under one policy, through the whole product: weeks of requests in a minute."""

import heapq
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.loop import tally
from benchmarks.loop.crowd import settings
from benchmarks.loop.owner import Owner
from benchmarks.loop.policies import Policy
from benchmarks.loop.tally import Tally
from bot.app import App
from bot.config import load
from bot.improve import facts
from bot.improve.facts import REGRESSION
from bot.improve.outcome import CHECK
from bot.llm.simulated.mind import Mind
from bot.llm.simulated.people import reaction
from bot.llm.simulated.server import SimulatedServer
from bot.llm.simulated.world import World
from bot.model.run import Outcome
from bot.model.workspace import HOME
from bot.simulation.clock import BEGIN, SeededIds, SimulatedClock
from bot.simulation.crowd import Crowd
from bot.wiring import open_app
from jobs import SCHEDULE

_DAY_MS = 86_400_000
_WITHIN_MS = 600_000
"""Between two requests of a conversation: too long for the second to be taken as the first again."""

_EVIDENCE = 5
_NEVER = ("vacuum", "retention", "digest")
_MOST_TICKS = 60


Serve = Callable[
    [World, int, Callable[[float], None]], AbstractAsyncContextManager[SimulatedServer]
]


@dataclass(slots=True)
class Pace:
    """How many runs lie between two ticks of a job: of those that look at trials and at what got
    worse, of those that read the log, and of the rest. The replays' job works in the pause after a
    proposal until there is nothing to do."""

    often: int = 5
    now_and_then: int = 25
    daily: int = 50

    def of(self, job: str) -> int:
        if job in ("trials", "regression"):
            return self.often
        return self.now_and_then if job in ("analyze", "mine", "judge") else self.daily


async def play(
    world: World,
    seed: int,
    policy: Policy,
    home: Path,
    pace: Pace | None = None,
    serve: Serve = SimulatedServer,
) -> Tally:
    """Everything it makes stays below `home`. Raises Broken where the product does what it must
    not. `serve` makes the simulated server."""
    begun = time.perf_counter()
    home.mkdir(parents=True, exist_ok=True)
    clock = SimulatedClock()
    async with serve(world, seed, clock.pass_ms) as server:
        environ = settings(
            server.url, str(home), _prices(world, home), world.models[0].name, policy
        )
        async with open_app(
            load(environ, home),
            serve=False,
            clock=clock,
            ids=SeededIds(clock, seed),
            rule=policy.rule,
        ) as app:
            await app.settled()
            crowd = Crowd(app, clock)
            owner = Owner(crowd, server.truth, policy)
            weeks = _Weeks(world, policy, server.mind, crowd, owner, pace or Pace())
            await weeks.live()
            spent = await _spent(app)
    return weeks.tally(seed, spent, time.perf_counter() - begun)


@dataclass(slots=True)
class _Weeks:
    """The runs of one play, in order: asked, rated, and now and then looked at by the jobs."""

    world: World
    policy: Policy
    mind: Mind
    crowd: Crowd
    owner: Owner
    pace: Pace
    usd: float = 0.0
    failed: int = 0
    rated: int = 0
    alarms: dict[int, bool] = field(default_factory=dict)
    votes: list[tuple[int, int, int, str, int]] = field(default_factory=list)
    """(when, about which run, by whom, its id, up or down), soonest first."""
    latest: list[str] = field(default_factory=list)
    heard: dict[str, int] = field(default_factory=dict)
    """When each finding was last an alarm."""

    async def live(self) -> None:
        for number in range(self.world.runs):
            self.crowd.clock.reach(self._time_of(number))
            await self._request(number)
            await self._rate(number)
            await self._jobs(number + 1)

    async def _request(self, number: int) -> None:
        asked = self.mind.truth.asked(number)
        run = await self.crowd.ask(asked, self.world.runs_per_conversation)
        self.usd += run.usage.cost_usd or 0.0
        served = self.mind.served.get(number)
        if served is None or not run.answer:
            self.failed += 1
            return
        self.latest = [*self.latest[1 - _EVIDENCE :], run.id]
        thinks = reaction(self.mind.truth, served)
        if thinks.check is not None:
            checked = Outcome(thinks.check, CHECK)
            services = self.crowd.app.services
            await services.runs.set_outcome(HOME, run.id, checked, services.clock.now())
        if thinks.vote:
            due = number + thinks.after
            heapq.heappush(self.votes, (due, number, asked.person, run.id, thinks.vote))

    async def _rate(self, now: int) -> None:
        while self.votes and self.votes[0][0] <= now:
            _, _, person, run, vote = heapq.heappop(self.votes)
            await self.crowd.rate(person, run, vote)
            self.rated += 1

    async def _jobs(self, done: int) -> None:
        """After `done` runs."""
        changes = self.world.changes
        if done % changes.every == 0 and done // changes.every <= self.world.proposals:
            await self.owner.propose(done // changes.every, self.latest)
            await self._decided()
        for job in SCHEDULE:
            if job not in _NEVER and done % self.pace.of(job) == 0:
                await self.crowd.work(job)
        if done % self.pace.now_and_then == 0:
            await self._decided()
        if done % self.pace.often == 0:
            if await self.owner.watch(done):
                self._alarm(done, "success")
            await self._listen(done)

    async def _decided(self) -> None:
        """The owner answers every card, once its replay is over: minutes, where hours lie between
        two requests."""
        for _ in range(_MOST_TICKS):
            if not await self.owner.decide():
                break
            await self.crowd.work("replay")

    async def _listen(self, at: int) -> None:
        """What the product says has got worse: each once, and again where that began later."""
        found = await self.crowd.app.services.findings.list(HOME, kinds=[REGRESSION])
        for finding in found:
            told = self.heard.get(finding.id)
            if told is None or (facts.number(finding.facts, "since") or 0) > told:
                self.heard[finding.id] = self.crowd.clock.now()
                self._alarm(at, str(finding.facts.get("measure")))

    def _alarm(self, at: int, measure: str) -> None:
        truth, served = self.mind.truth, self.mind.served
        right = tally.degraded(truth, served, at, measure)
        self.alarms[at] = self.alarms.get(at, False) or right

    def _time_of(self, number: int) -> int:
        each = self.world.runs_per_conversation
        apart = _DAY_MS / self.world.runs_per_day * each
        return BEGIN + round(number // each * apart + number % each * _WITHIN_MS)

    def tally(self, seed: int, spent: float, seconds: float) -> Tally:
        truth, served = self.mind.truth, self.mind.served
        success, regret = tally.success_and_regret(truth, served)
        return Tally(
            policy=self.policy.name,
            seed=seed,
            runs=len(served),
            success=success,
            regret=regret,
            cost=tally.relative_cost(truth, served),
            usd=self.usd,
            spent_usd=spent,
            proposed=tally.proposed(truth, len(self.owner.ours)),
            adopted=tuple(self.owner.adopted.values()),
            alarms=tuple(sorted(self.alarms.items())),
            delays=tally.delays(truth, self.alarms),
            rated=self.rated,
            failed=self.failed,
            seconds=seconds,
            jobs_failed=tuple(self.crowd.jobs_failed[:5]),
            extra={
                "calls": self.mind.calls,
                "grades": self.mind.grades,
                "others": self.owner.others,
                "in_use": sorted(served[max(served)].prompt.changes) if served else [],
            },
        )


def _prices(world: World, home: Path) -> str:
    """The table of what the world's models cost."""
    path = home / "prices.yml"
    lines = [f"{m.name}: {{input: {m.input}, output: {m.output}}}\n" for m in world.models]
    path.write_text("".join(lines))
    return str(path)


async def _spent(app: App) -> float:
    """US dollars in all, whatever for."""
    now = app.services.clock.now()
    months = {
        time.strftime("%Y-%m", time.gmtime(at / 1000)) for at in range(BEGIN, now + 1, _DAY_MS)
    }
    keys = [("workspace", "", month) for month in sorted(months)]
    return sum((await app.services.budgets.spent(HOME, keys)).values())
