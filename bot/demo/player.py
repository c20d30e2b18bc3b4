"""Plays the weeks on both sides, day by day, and shows what the databases say of them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.demo.calendar import WORKDAYS, Calendar, fitting
from bot.demo.cast import Members, Owner
from bot.demo.news import Reporter
from bot.demo.screen import Now, Screen
from bot.demo.side import Side
from bot.demo.weeks import Week, week
from bot.model.run import RunKind
from bot.model.trial import ACTIVE
from bot.model.workspace import HOME
from bot.ports.clock import Clock

_OFTEN = ("replay", "trials")
_AT_NIGHT = ("analyze", "errors", "regression")
_AT_WEEKENDS = ("mine", "approvals", "expire")
_BETWEEN = 10
"""Requests between two ticks of the jobs that run often."""
_TICKS = 30
_SLOWER = 1.3
"""So much longer than was asked for it may take before the team asks less."""


@dataclass(slots=True)
class Player:
    """`wall` is the real clock. `paced` waits where the machine is faster than one can read."""

    learns: Side
    stays: Side
    calendar: Calendar
    screen: Screen
    wall: Clock
    seconds: float
    adapts: bool
    paced: bool
    every: int
    asked: int = 0
    wishes: int = 0
    weeks: list[tuple[Week, Week]] = field(default_factory=list)
    _begun: float = 0.0
    _members: tuple[Members, Members] = field(init=False)
    _owner: Owner = field(init=False)
    _reporter: Reporter = field(init=False)

    def __post_init__(self) -> None:
        self._members = (Members(self.learns), Members(self.stays))
        self._owner = Owner(self.learns)
        self._reporter = Reporter(self.learns.app.services)

    async def play(self) -> None:
        self._begun = self.wall.monotonic()
        per_day = self.calendar.per_day
        for number in range(self.calendar.weeks):
            await self._week(number, per_day)
            per_day = self._afford(per_day, number + 1)

    async def _week(self, number: int, per_day: int) -> None:
        for day in range(WORKDAYS):
            for at in self.calendar.day(number, day, per_day):
                await self._request(at)
            await self._work(_AT_NIGHT if day < WORKDAYS - 1 else (*_AT_NIGHT, *_AT_WEEKENDS))
            await self._show()
        both = [await week(s.app.services, self.calendar, number) for s in self._sides]
        self.weeks.append((both[0], both[1]))
        self.screen.week(number + 1, both[0], both[1])
        await self._show()

    @property
    def _sides(self) -> Sequence[Side]:
        return self.learns, self.stays

    async def _request(self, at: int) -> None:
        for members in self._members:
            members.side.clock.reach(at)
            await members.ask(self.asked)
        self.asked += 1
        if self.asked % self.every == 0:
            self.wishes += 1
            await self._members[0].wish(self.wishes)
        if self.asked % _BETWEEN == 0:
            await self._work(_OFTEN)
            await self._show()
        if self.paced:
            await self._wait()

    async def _work(self, jobs: Sequence[str]) -> None:
        for job in jobs:
            await self.learns.crowd.work(job)
        await self._rehearse()
        await self._owner.decide()

    async def _rehearse(self) -> None:
        """To its end: between two requests there is more time than it takes."""
        services = self.learns.app.services
        for _ in range(_TICKS):
            if not await services.replays.unfinished(HOME):
                return
            await self.learns.crowd.work("replay")
            await self._show()

    async def _show(self) -> None:
        services = self.learns.app.services
        for one in await self._reporter.news():
            self.screen.news(one)
        recent = await services.runs.recent(HOME, kinds=[RunKind.REQUEST], limit=3)
        running = await services.trials.list(HOME, ACTIVE, 5)
        share = min(1.0, self.asked / max(1, self._expected()))
        names = {run.person: await self._reporter.name(run.person) for run in recent}
        self.screen.now(
            Now(self.learns.clock.now(), self.asked, share, recent, names, running, self.weeks)
        )

    def _expected(self) -> int:
        done = len(self.weeks)
        return max(self.asked, self.calendar.requests) if done < self.calendar.weeks else self.asked

    async def _wait(self) -> None:
        due = self.seconds * self.asked / self.calendar.requests
        ahead = due - (self.wall.monotonic() - self._begun)
        if ahead > 0:
            await asyncio.sleep(ahead)

    def _afford(self, per_day: int, done: int) -> int:
        """A slow machine gets a quieter team, not fewer weeks."""
        took = self.wall.monotonic() - self._begun
        left = (self.calendar.weeks - done) * WORKDAYS
        if not self.adapts or not left:
            return per_day
        return fitting(
            self.calendar.per_day, took / self.asked, self.seconds * _SLOWER - took, left
        )
