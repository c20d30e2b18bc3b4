"""Looks at what is spent: dear days, budgets that run out, models that cost much."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from bot.improve.detect import costs
from bot.improve.detect.seen import Seen, merged
from bot.llm.pricing import Prices, load
from bot.model.budget import Period, Scope
from bot.model.words import count
from bot.services import Services
from jobs.follow import Known, by, follow

NAME = "costs"
_PEOPLE = 2_000
"""Of a pass: a first one over a long log meets more, and today's are the last."""


async def work(services: Services, workspace: str, run_id: str) -> str:
    async def step(known: Known, page: Sequence[costs.Paid]) -> Iterable[Seen]:
        people.update(dict.fromkeys(run.person for run in page))
        return await by(costs.fold)(known, page)

    people: dict[str, None] = {}
    read = await follow(services, workspace, NAME, costs.Paid, step)
    now = services.clock.now()
    state = await services.states.get(workspace, NAME)
    known: Known = state.state.get("known") or {}  # type: ignore[assignment]
    seen = await _budgets(services, workspace, list(people)[-_PEOPLE:], known, now)
    seen += await _models(services, workspace, known, now)
    found = [one.finding(workspace, services.ids.run_id(), now) for one in merged(seen)]
    new = await services.findings.raise_all(workspace, found)
    return f"{count(read, 'run')} read, {count(new, 'finding') if new else 'no findings'}"


async def _budgets(
    services: Services, workspace: str, people: Sequence[str], known: Known, now: int
) -> list[Seen]:
    """The workspace's, those of its agents, and those of people who asked something since the
    last pass: nobody else's have changed."""
    agents = await services.agents.current(workspace)
    spent = await services.purse.of_workspace(workspace)
    own = {agent.name: agent.budget_day for agent in agents}
    spent += await services.purse.of_each(workspace, own, people)
    near = [
        (budget, usd)
        for budget, usd in spent
        if budget.limit_usd > 0 and usd >= costs.WARN_AT * budget.limit_usd
    ]
    named = [b.key for b, _ in near if b.scope is Scope.PERSON]
    found = [await services.people.get(workspace, id) for id in named]
    names = {person.id: person.name for person in found if person and person.name}
    return costs.budgets(near, _passed(now), known, names, now)


async def _models(services: Services, workspace: str, known: Known, now: int) -> Sequence[Seen]:
    """Candidates are the models that somebody here has named: nothing is fetched."""
    settings = services.settings
    if settings.offline:
        return ()
    agents = await services.agents.current(workspace)
    models = {agent.name: agent.model or services.model.default for agent in agents}
    own = load(settings.prices)
    named = {*models.values(), *settings.listed(settings.fallback_models), *own}
    prices = Prices(own, settings.openai_base_url)
    # The library's table takes a third of a second to read.
    await asyncio.to_thread(prices.learn, sorted(named))
    price = {
        model: (tokens_in, tokens_out)
        for model in named
        if (tokens_in := prices.cost(model, 1_000_000, 0)) is not None
        and (tokens_out := prices.cost(model, 0, 1_000_000)) is not None
    }
    return costs.dear_models(known, models, price, now)


def _passed(now: int) -> dict[Period, float]:
    """The part of the day and of the month (UTC) that is over."""
    at = datetime.fromtimestamp(now / 1000, UTC)
    day = (now % costs.DAY) / costs.DAY
    return {Period.DAY: day, Period.MONTH: (at.day - 1 + day) / 31}
