"""The pairs of one replay: each request by both versions, one after the other, each kept once."""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from bot.budget import Holding
from bot.improve.judge import Judge
from bot.improve.replay.arms import Rosters
from bot.improve.replay.paying import Limits, ReplayPurse
from bot.improve.replay.result import replayed
from bot.improve.replay.scoring import Scoring, Side
from bot.improve.replay.sides import Paused, Sides
from bot.improve.verdicts.gate import promising
from bot.model.run import Usage
from bot.model.trial import Arm
from bot.ports.clock import Clock
from bot.ports.stores import Pair, Replay, Replays, Runs

log = structlog.get_logger()

_MOST_PAUSES = 3


@dataclass(frozen=True, slots=True)
class Turn:
    """Work is done until this monotonic second, and while `alive` says so: it is asked before each
    pair, and False means that somebody else has taken the work."""

    until: float
    alive: Callable[[], Awaitable[bool]]


class Pairing:
    def __init__(
        self,
        replays: Replays,
        runs: Runs,
        sides: Sides,
        scoring: Scoring,
        purse: Holding,
        limits: Limits,
        clock: Clock,
        step: int,
    ) -> None:
        """After each `step` pairs it goes on only where the candidate looks better than not."""
        self._replays, self._runs, self._sides, self._scoring = replays, runs, sides, scoring
        self._purse, self._limits, self._clock, self._step = purse, limits, clock, step

    async def go_on(
        self,
        replay: Replay,
        rosters: Rosters,
        judge: Judge | None,
        turn: Turn,
        told: Callable[[Sequence[Pair]], Awaitable[None]],
    ) -> Sequence[Pair]:
        """Every pair there is by the end of the turn; `told` hears of them as they come. Raises
        OverBudget where the money is out."""
        pairs = list(await self._replays.pairs(replay.workspace, replay.id))
        left = [task for task in replay.tasks if task not in {pair.run_id for pair in pairs}]
        purse, pauses = await self._own(replay), 0
        for task in left:
            if self.over(replay, pairs):
                break
            if self._clock.monotonic() >= turn.until or not await turn.alive():
                break
            try:
                pair, usd = await self._pair(replay, task, rosters, judge, purse)
            except Paused as error:
                log.info("replay_pauses", proposal=replay.proposal, cause=str(error))
                pauses += 1
                if pauses == _MOST_PAUSES:
                    break
                continue
            await self._replays.put_pair(replay.workspace, replay.id, pair, usd)
            pairs.append(pair)
            await told(pairs)
        return pairs

    def expected(self, replay: Replay, done: int) -> int:
        """How many pairs there will be if this step is the last one."""
        return min(len(replay.tasks), (done // self._step + 1) * self._step)

    def over(self, replay: Replay, pairs: Sequence[Pair]) -> bool:
        """Whether every request was tried, or the last step leaves no hope."""
        if len(pairs) >= len(replay.tasks):
            return True
        stepped = len(pairs) > 0 and len(pairs) % self._step == 0
        return stepped and not promising(replayed(pairs))

    async def _own(self, replay: Replay) -> ReplayPurse:
        spent = sum((run.usage for run in await self._sides.of(replay)), Usage())
        return ReplayPurse(self._purse, self._limits, spent)

    async def _pair(
        self, replay: Replay, task: str, rosters: Rosters, judge: Judge | None, purse: ReplayPurse
    ) -> tuple[Pair, float]:
        """And what it cost."""
        run = await self._runs.get(replay.workspace, task)
        if run is None or not run.message:
            return Pair(task, None, None, "its words are forgotten"), 0.0
        arms = rosters.of(run.agent, run.message, run.agent_hint)
        if arms is None:
            return Pair(task, None, None, "the same version answers it either way"), 0.0
        versions = {Arm.INCUMBENT: arms.incumbent, Arm.CANDIDATE: arms.candidate}
        sides: dict[Arm, Side] = {}
        for arm in _order(task):
            side = await self._sides.play(replay, run, arm, versions[arm], purse, judge)
            sides[arm] = side
            if side.diverged:  # the other half would be paid for in vain
                return Pair(task, None, None, side.run.error_message), _cost(sides)
        pair = await self._scoring.pair(run, sides[Arm.INCUMBENT], sides[Arm.CANDIDATE])
        return pair, _cost(sides)


def _order(task: str) -> Sequence[Arm]:
    """Whoever comes second may find a provider's cache warm: half of the time it is either."""
    odd = hashlib.sha256(task.encode()).digest()[0] % 2
    return (Arm.CANDIDATE, Arm.INCUMBENT) if odd else (Arm.INCUMBENT, Arm.CANDIDATE)


def _cost(sides: dict[Arm, Side]) -> float:
    return sum(side.run.usage.cost_usd or 0.0 for side in sides.values())
