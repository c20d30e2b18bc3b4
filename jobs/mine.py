"""Mines what is new in the log: kinds of requests, patterns, gaps, and what to expect of agents."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from bot.improve.clusters import Clusters
from bot.improve.commanded import Commanded
from bot.improve.detect import mined
from bot.improve.detect.mined import RECENT_MS, Crew
from bot.improve.detect.seen import Seen
from bot.improve.detect.splits import of_split, splits
from bot.improve.distinct import mark
from bot.improve.forecast import CLOSED, SCORED, known_of
from bot.improve.gaps import Gap
from bot.improve.mining import Ended, Judged, Means, Mined, OfClosed, OfScored, Version
from bot.model.person import Role
from bot.model.words import count
from bot.ports.stores import R, State
from bot.services import Services
from jobs.follow import Known, follow, in_turns

TOLD = "mining.told"
"""What was told of last, by fingerprint, and of which revisions of the two states."""

_MORE = 1.1
"""Told again once there is so much more of it."""
_NOTHING = ("", "")
_WHOLE, _EVERY = 20_000, 8
_ROW = 200
_TURN = 150  # with their texts these take as long as some hundreds of others


async def work(services: Services, workspace: str, run_id: str) -> str:
    """Its cost grows with what is new, not with the log."""
    agents = await services.agents.current(workspace)
    crew = Crew(
        {agent.name: frozenset(agent.tools) for agent in agents},
        {agent.name: agent.version for agent in agents},
    )
    closed = await follow(services, workspace, CLOSED, Ended, _OfClosed(services, workspace, crew))
    clusters = Clusters(
        known_of((await services.states.get(workspace, CLOSED)).state).get("clusters")
    )
    scored = await follow(
        services,
        workspace,
        SCORED,
        Judged,
        _OfScored(services, workspace, clusters, crew),
        scored=True,
    )
    commanded = Commanded(services.states, services.evidence, services.clock)
    await commanded.read(workspace, services.clock.now() - RECENT_MS)
    told = await _tell(services, workspace, crew, commanded)
    if closed or scored:
        await services.forecast.refresh(workspace)
    return (
        f"{count(closed, 'request')} read, {count(scored, 'outcome')}, "
        f"{count(told, 'finding') if told else 'no findings'}"
    )


class Sample:
    """Of a pass that has much to read (a first analysis) everything at first, then a part, always
    the same: kinds of requests are known by then, and of what was long ago little counts."""

    def __init__(self, whole: int = _WHOLE) -> None:
        self._left = whole

    def of(self, runs: Sequence[R]) -> Sequence[R]:
        whole = self._left > 0
        self._left -= len(runs)
        return runs if whole else [run for run in runs if mark(run.id) % _EVERY == 0]


class _OfClosed:
    """Keeps its folds while the state it is given is the one that it made."""

    def __init__(self, services: Services, workspace: str, crew: Crew) -> None:
        self._evidence, self._workspace, self._crew = services.evidence, workspace, crew
        self._agents = services.agents
        self._means: dict[Version, Means] = {}
        self._texts = Sample()
        self._known: Known | None = None
        self._fold = OfClosed({}, crew.versions)

    async def __call__(self, known: Known, page: Sequence[Ended]) -> Iterable[Seen]:
        if known is not self._known:
            self._known, self._fold = known, OfClosed(known, self._crew.versions)
        paths = await self._paths(page)
        chosen = [run.id for run in self._texts.of(page)]
        # A text that is not looked at is none at all; one that is forgotten is empty.
        said = dict.fromkeys(chosen, _NOTHING) | {
            **await self._evidence.said(self._workspace, chosen)
        }
        means = await self._means_of({(run.agent, run.version) for run in page})
        seen: list[Seen] = []
        async for runs in in_turns(page, _TURN):
            seen += self._fold.fold(runs, paths, said, means)
        known.update(self._fold.dump())
        return seen

    async def _means_of(self, versions: Collection[Version]) -> Mapping[Version, Means]:
        """Of the version that did it: on trial it isn't the one in use."""
        for agent, number in versions:
            if (agent, number) not in self._means:
                made = await self._agents.version(self._workspace, agent, number)
                crew = self._crew.tools.get(agent, frozenset())
                self._means[agent, number] = (
                    (frozenset(made.tools), made.model) if made else (crew, "")
                )
        return self._means

    async def _paths(self, runs: Sequence[Ended]) -> Mapping[str, str]:
        """Many runs in a row are read from the first to the last, few by their ids."""
        if len(runs) >= _ROW:
            return await self._evidence.paths(self._workspace, runs[0].id, runs[-1].id)
        return await self._evidence.paths_of(self._workspace, [run.id for run in runs])


class _OfScored:
    def __init__(self, services: Services, workspace: str, clusters: Clusters, crew: Crew) -> None:
        self._evidence, self._workspace, self._clusters = services.evidence, workspace, clusters
        self._in_use = crew.versions
        self._outcomes = Sample()
        self._known: Known | None = None
        self._fold = OfScored({}, clusters, self._in_use)

    async def __call__(self, known: Known, page: Sequence[Judged]) -> Iterable[Seen]:
        if known is not self._known:
            self._known = known
            self._fold = OfScored(known, self._clusters, self._in_use)
        chosen = self._outcomes.of(page)
        ids = [run.id for run in chosen]
        paths = await self._evidence.paths_of(self._workspace, ids)
        said = await self._evidence.said(self._workspace, ids)
        async for runs in in_turns(chosen, _TURN):
            self._fold.fold(runs, paths, said)
        known.update(self._fold.dump())
        return ()


async def _tell(services: Services, workspace: str, crew: Crew, commanded: Commanded) -> int:
    """Raises what is new or has grown. Killed half-way it is told again, which changes nothing."""
    closed = await services.states.get(workspace, CLOSED)
    scored = await services.states.get(workspace, SCORED)
    before = await services.states.get(workspace, TOLD)
    now = services.clock.now()
    commands, said = await commanded.found(workspace, now - RECENT_MS)
    revisions = f"{closed.revision} {scored.revision} {said}"
    if before.watermark == revisions:
        return 0
    known: dict[str, Any] = dict(before.state.get("told") or {})  # type: ignore[call-overload]
    whole = Mined(known_of(closed.state), known_of(scored.state))
    told: dict[str, int] = {}
    new = 0
    for seen in await _seen(services, workspace, crew, whole, commands, now - RECENT_MS):
        last = known.get(seen.fingerprint, 0)
        if seen.count >= _MORE * last:
            finding = seen.finding(workspace, services.ids.run_id(), now)
            new += (await services.findings.raise_once(finding))[1]
            last = seen.count
        told[seen.fingerprint] = last
    await services.states.move(workspace, TOLD, before, State(revisions, {"told": told}), now)
    return new


async def _names(services: Services, workspace: str) -> Collection[str]:
    """By which people here may be called: who writes "@ada" to a colleague misses no agent."""
    found: set[str] = set()
    for role in Role:
        for person in await services.people.with_role(workspace, role):
            words = person.name.casefold().split()
            found |= {*words, *(sep.join(words) for sep in ("", "_", "-", "."))}
    return found


async def _seen(
    services: Services,
    workspace: str,
    crew: Crew,
    whole: Mined,
    commands: Sequence[Gap],
    since: int,
) -> list[Seen]:
    patterns = mined.runbooks(whole.patterns.found(since))
    gaps = [g for g in whole.gaps.found(since) if g.named[0] or whole.clusters.size(g.topic)]
    people = await _names(services, workspace) if any(g.named[0] == "agent" for g in gaps) else ()
    gaps = [*(g for g in gaps if g.named[0] != "agent" or g.named[1] not in people), *commands]
    ids = {run for one in patterns for run in one.examples}
    ids |= {run for one in gaps for run in one.examples}
    routes = list(mined.of_routes(whole))
    served = {(one.agent, one.about.partition(" ")[0]) for one in routes}
    served |= {(agent, one.topic) for one in gaps if one.missing for agent in one.agents}
    apart = list(splits(whole, crew.tools, served))
    ids |= {run for one in apart for run in one.runs}
    said = await services.evidence.said(workspace, sorted(ids))

    def texts(examples: Sequence[str]) -> list[str]:
        return [said[run][0] for run in examples if run in said]

    return [
        *(mined.of_pattern(one, whole.clusters, texts(one.examples)) for one in patterns),
        *(mined.of_gap(one, whole.clusters, crew, texts(one.examples)) for one in gaps),
        *routes,
        *(of_split(one, whole, texts(one.runs)) for one in apart),
    ]
