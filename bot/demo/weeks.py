"""Each week in numbers, as the database has them; the two sides beside each other."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.demo.calendar import Calendar
from bot.model.stats import difference
from bot.model.workspace import HOME
from bot.numbers import Totals, totals
from bot.services import Services


@dataclass(frozen=True, slots=True)
class Week:
    """`loop_usd` is what the loop itself spent: rehearsals and judges."""

    totals: Totals
    loop_usd: float = 0.0

    @property
    def success(self) -> float | None:
        return self.totals.good / self.totals.scored if self.totals.scored else None

    @property
    def cost(self) -> float | None:
        """US dollars an answer."""
        return self.totals.cost_usd / self.totals.runs if self.totals.runs else None

    @property
    def p50(self) -> float | None:
        return self.totals.p50 if self.totals.runs else None


@dataclass(frozen=True, slots=True)
class Compared:
    """Success of two groups of runs and the 95 % interval of their difference."""

    before: float
    n_before: int
    after: float
    n_after: int
    low: float
    high: float


async def week(services: Services, calendar: Calendar, number: int) -> Week:
    """`number` counts from 0."""
    since, until = calendar.edges[number : number + 2]
    found = totals(await services.metrics.by_agent(HOME, since, until))
    (span,) = await services.metrics.spans(HOME, [since, until])
    return Week(found, max(0.0, span.cost_usd - found.cost_usd))


async def weeks(services: Services, calendar: Calendar) -> list[Week]:
    return [await week(services, calendar, number) for number in range(calendar.weeks)]


def compared(before: Sequence[Week], after: Sequence[Week]) -> Compared | None:
    """None where one side has no outcome."""
    n_before, n_after = (sum(w.totals.scored for w in side) for side in (before, after))
    if not n_before or not n_after:
        return None
    was, now = (sum(w.totals.good for w in side) for side in (before, after))
    low, high = difference(was, n_before, now, n_after)
    return Compared(was / n_before, n_before, now / n_after, n_after, low, high)
