"""Looks at the agents themselves: who is needed, who does the same, which lessons help, what was liked."""

from collections.abc import Sequence
from typing import Any

from bot.improve.detect import roster
from bot.improve.detect.seen import merged
from bot.model.words import count
from bot.ports.stores import Made, State
from bot.services import Services
from jobs.follow import by, follow

USED, SCORED, LESSONS = "roster.used", "roster.scored", "roster.lessons"
"""States: when each agent was last asked, how its versions do, what its lessons are worth."""


async def work(services: Services, workspace: str, run_id: str) -> str:
    read = await follow(services, workspace, USED, roster.Asked, by(roster.used))
    read += await follow(services, workspace, SCORED, roster.Judged, by(roster.fold), scored=True)
    last, done = [await _known(services, workspace, name) for name in (USED, SCORED)]
    agents = await services.agents.current(workspace)
    made = {a.name: await services.agents.history(workspace, a.name) for a in agents}
    now = services.clock.now()
    since = [(a, made[a.name][-1].created_at) for a in agents if made[a.name]]
    liked = [run for at in done.values() for run, _ in at["liked"]]
    said = await services.evidence.said(workspace, liked)
    seen = [
        *roster.unused(last, since, now),
        *roster.duplicates(agents, last, done),
        *roster.praise(done, said, [agent.name for agent in agents]),
    ]
    found = [one.finding(workspace, services.ids.run_id(), now) for one in merged(seen)]
    new = await services.findings.raise_all(workspace, found)
    bad = await _lessons(services, workspace, done, made, now)
    told = count(new, "finding") if new else "no findings"
    return f"{count(read, 'run')} read, {told}, {count(bad, 'lesson')} to look at"


async def _known(services: Services, workspace: str, name: str) -> dict[str, Any]:
    known: Any = (await services.states.get(workspace, name)).state.get("known")
    return dict(known or {})


async def _lessons(
    services: Services,
    workspace: str,
    done: dict[str, Any],
    made: dict[str, Sequence[Made]],
    now: int,
) -> int:
    """Written down for whoever looks at a playbook; how many seem to do harm."""
    counts = {
        name: roster.lessons(done.get(name, {}), [m.version for m in history])
        for name, history in made.items()
    }
    before = await services.states.get(workspace, LESSONS)
    after = State("", {name: rows for name, rows in counts.items() if rows})
    if after.state != before.state:
        await services.states.move(workspace, LESSONS, before, after, now)
    return sum(roster.harmful(row) for rows in counts.values() for row in rows.values())
