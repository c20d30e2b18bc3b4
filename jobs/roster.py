"""Looks at the agents themselves: who is needed, who does the same, which lessons help, what was liked."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.improve.detect import roster
from bot.improve.detect.seen import Seen, merged
from bot.model.agent import AgentVersion
from bot.model.words import count
from bot.ports.stores import Made, State
from bot.services import Services
from jobs.follow import by, follow

SCORED, LESSONS = "roster.scored", "roster.lessons"
"""States: how the versions of each agent do, what its lessons are worth."""


async def work(services: Services, workspace: str, run_id: str) -> str:
    read = await follow(services, workspace, SCORED, roster.Judged, by(roster.fold), scored=True)
    done = await _known(services, workspace, SCORED)
    last = await services.evidence.last_asked(workspace)
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
        *await _harm(services, workspace, done, agents, made),
    ]
    found = [one.finding(workspace, services.ids.run_id(), now) for one in merged(seen)]
    new = await services.findings.raise_all(workspace, found)
    told = count(new, "finding") if new else "no findings"
    return f"{count(read, 'outcome')} read, {told}"


async def _known(services: Services, workspace: str, name: str) -> dict[str, Any]:
    known: Any = (await services.states.get(workspace, name)).state.get("known")
    return dict(known or {})


async def _harm(
    services: Services,
    workspace: str,
    done: Mapping[str, Any],
    agents: Sequence[AgentVersion],
    made: Mapping[str, Sequence[Made]],
) -> list[Seen]:
    """Lessons that do harm. What all of them are worth is written down for whoever looks at a
    playbook."""
    versions = {name: [m.version for m in history] for name, history in made.items()}
    counts = {a.name: roster.lessons(done.get(a.name, {}), a, versions[a.name]) for a in agents}
    before = await services.states.get(workspace, LESSONS)
    after = State("", {name: rows for name, rows in counts.items() if rows})
    if after.state != before.state:
        await services.states.move(workspace, LESSONS, before, after, services.clock.now())
    seen = []
    for agent in agents:
        if id := roster.harmful(counts[agent.name]):
            bullet = next(b for b in agent.playbook if b.id == id)
            having = {v.version for v in versions[agent.name] if bullet in v.playbook}
            row = counts[agent.name][id]
            seen.append(roster.harm(agent, id, row, done.get(agent.name, {}), having))
    return seen
