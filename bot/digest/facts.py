"""What happened in a period, read from the records: numbers, refs and what is for everyone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from bot.model.budget import Budget
from bot.model.memory import ORG, Memory
from bot.model.proposal import IN_USE, Proposal, ProposalStatus
from bot.model.subscription import DAYS, Cadence, Subscription, local, since, zone_of
from bot.model.trial import ACTIVE, Trial, TrialStatus
from bot.model.workflow import Workflow
from bot.numbers import Totals, totals
from bot.ports.stores import Bucket, Span
from bot.services import Services

_S = ProposalStatus
_ENDED = (TrialStatus.KEPT, TrialStatus.ROLLED_BACK, TrialStatus.STOPPED)
_DAY = 86_400_000
_LOOKED_BACK = 90 * _DAY
"""An older version's success is measured over so long: further back the questions were others."""
_CHART_DAYS: Mapping[Cadence, int] = {"daily": 14, "weekly": 28}
_TOLD_DAYS: Mapping[Cadence, int] = {"daily": 7, "weekly": 28}
"""So long a change's effect is told of: at first there is not enough to tell."""
_IMPROVED = 5
_MOST = 500  # proposals, memories: more than that happens in no week


@dataclass(frozen=True, slots=True)
class Window:
    """A period that is told of: [`since`, `until`) in ms."""

    cadence: Cadence
    since: int
    until: int
    zone: str = "UTC"

    def holds(self, at: int) -> bool:
        return self.since <= at < self.until


@dataclass(frozen=True, slots=True)
class Improvement:
    """A change that is in use and was not tried before, with the outcomes of the version before
    and of its own."""

    proposal: Proposal
    before: Totals
    after: Totals

    @property
    def versions(self) -> tuple[int, int]:
        applied = self.proposal.applied or {}
        return int(str(applied.get("before", 0))), int(str(applied.get("version", 0)))


@dataclass(frozen=True, slots=True)
class Facts:
    """`cost_usd` is of all runs, jobs included. `spent` goes with the workspace's budgets as they
    stand now. `spans` are the days of the picture, `marks` when something came into use then."""

    window: Window
    totals: Totals = field(default_factory=Totals)
    cost_usd: float = 0.0
    spent: tuple[tuple[Budget, float], ...] = ()
    improved: tuple[Improvement, ...] = ()
    trials: tuple[Trial, ...] = ()
    """Those that go on now."""
    verdicts: tuple[Trial, ...] = ()
    """Those that ended then."""
    undone: tuple[Proposal, ...] = ()
    declined: int = 0
    waiting: tuple[Proposal, ...] = ()
    learned: tuple[Proposal, ...] = ()
    memories: tuple[Memory, ...] = ()
    workflows: tuple[Workflow, ...] = ()
    failed_jobs: Mapping[str, int] = field(default_factory=dict)
    undelivered: int = 0
    spans: tuple[Span, ...] = ()
    marks: tuple[tuple[int, str], ...] = ()

    @property
    def happened(self) -> bool:
        """Whether there is anything to tell. What has been waiting since before is no news."""
        news = any(self.window.holds(p.created_at) for p in self.waiting)
        new_use = any(self.window.holds(i.proposal.decided_at) for i in self.improved)
        learned = self.learned or self.memories or self.workflows or self.verdicts
        failed = self.failed_jobs or self.undelivered
        return bool(
            self.totals.runs or news or new_use or self.undone or self.declined or learned or failed
        )


def window_of(one: Subscription, due: int) -> Window:
    return Window(one.cadence, since(one, due), due, one.zone)


def window_to(cadence: Cadence, now: int, zone: str) -> Window:
    """The period that ends now, for a look at it."""
    start = local(zone, now) - timedelta(days=DAYS[cadence])
    return Window(cadence, round(start.timestamp() * 1000), now, zone)


async def gather(services: Services, workspace: str, window: Window) -> Facts:
    metrics, at = services.metrics, (window.since, window.until)
    decided = await services.proposals.list(
        workspace, (*IN_USE, _S.ROLLED_BACK, _S.DECLINED), _MOST
    )
    trialled = [p for p in decided if p.status is _S.TRIALLED]
    in_use = [
        p
        for p in decided
        if p.status in IN_USE and p not in trialled and p.decided_at < window.until
    ]
    ended = await services.trials.list(workspace, _ENDED, _MOST)
    edges, buckets = _edges(window), await metrics.by_agent(workspace, *at)
    waiting = await services.proposals.list(workspace, [_S.OFFERED], _MOST)
    memories = await services.memories.list(workspace, [ORG], _MOST)
    workflows = await services.workflows.list(workspace)
    [whole] = await metrics.spans(workspace, at)

    def new(status: ProposalStatus) -> tuple[Proposal, ...]:
        return tuple(p for p in decided if p.status is status and window.holds(p.decided_at))

    return Facts(
        window=window,
        totals=totals(buckets),
        cost_usd=whole.cost_usd,
        spent=tuple(await services.purse.of_workspace(workspace)),
        improved=await _improved(services, workspace, window, buckets, in_use),
        trials=tuple(await services.trials.list(workspace, ACTIVE, _MOST)),
        verdicts=tuple(t for t in ended if window.holds(t.ended_at)),
        undone=new(_S.ROLLED_BACK),
        declined=len(new(_S.DECLINED)),
        waiting=tuple(sorted(waiting, key=lambda p: p.created_at)),
        learned=tuple(p for p in in_use if p.change.agent and window.holds(p.decided_at)),
        memories=tuple(m for m in memories if window.holds(m.created_at)),
        workflows=tuple(w for w in workflows if window.holds(w.created_at)),
        failed_jobs=await metrics.failed_jobs(workspace, *at),
        undelivered=await metrics.undelivered(workspace, *at),
        spans=tuple(await metrics.spans(workspace, edges)),
        marks=tuple(
            sorted((p.decided_at, p.ref) for p in in_use if edges[0] <= p.decided_at < edges[-1])
        ),
    )


async def _improved(
    services: Services,
    workspace: str,
    window: Window,
    busy: Sequence[Bucket],
    in_use: Sequence[Proposal],
) -> tuple[Improvement, ...]:
    """What came into use in the period or not long before, and is still an agent's newest."""
    current = {a.name: a.version for a in await services.agents.current(workspace)}
    worked = {(b.agent, b.version) for b in busy}
    found: list[Improvement] = []
    seen: dict[str, list[Bucket]] = {}
    for proposal in in_use:
        agent, applied = proposal.change.agent, proposal.applied or {}
        version = applied.get("version")
        recent = proposal.decided_at >= window.until - _TOLD_DAYS[window.cadence] * _DAY
        newest = recent and current.get(agent) == version and (agent, version) in worked
        measured = "trial" in applied  # side by side, which says more
        if (
            measured
            or not agent
            or not version
            or not (newest or window.holds(proposal.decided_at))
        ):
            continue
        if agent not in seen:
            start = window.until - _LOOKED_BACK
            seen[agent] = await services.metrics.by_agent(workspace, start, window.until, agent)
        before, after = (
            totals([b for b in seen[agent] if b.version == one])
            for one in (applied.get("before"), version)
        )
        found.append(Improvement(proposal, before, after))
    return tuple(found[:_IMPROVED])


def _edges(window: Window) -> list[int]:
    """The local midnights of the picture's days, and the period's end."""
    last = local(window.zone, window.until).date()
    back = range(_CHART_DAYS[window.cadence] - 1, -1, -1)
    days = [datetime.combine(last - timedelta(days=n), time(), zone_of(window.zone)) for n in back]
    starts = [round(day.timestamp() * 1000) for day in days]
    return sorted({*starts, max(window.until, starts[-1] + 1)})
