"""What was done and learned over a period, from the run log."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field

from bot.agents.tools import periods
from bot.agents.tools.base import ToolContext, tool
from bot.model.memory import ORG, of_agent, of_user
from bot.model.proposal import Proposal, ProposalStatus
from bot.ports.stores import Bucket

_MOST = 30
_LEARNED = (ProposalStatus.APPROVED, ProposalStatus.KEPT)


@tool()
async def run_history(
    ctx: ToolContext,
    *,
    period: Annotated[
        str, Field(max_length=40), "today, yesterday, or a length: 24h, 7d, 4w."
    ] = "yesterday",
) -> object:
    """What you and the other agents did and learned: approved lessons, new memories, and runs
    with their success, errors and cost."""
    since, until = periods.parse(period, ctx.clock.now())
    mine = (ORG, of_agent(ctx.agent), of_user(ctx.person))
    memories = await ctx.memory.between(ctx.workspace, mine, since, until)
    buckets = await ctx.metrics.by_agent(ctx.workspace, since, until)
    return {
        "from": _iso(since),
        "until": _iso(until),
        "lessons": await _lessons(ctx, since, until),
        "memories": [{"ref": m.ref, "text": m.text} for m in memories[:_MOST]],
        "runs": _runs(buckets),
        "by_agent": [_agent(b) for b in buckets],
    }


async def _lessons(ctx: ToolContext, since: int, until: int) -> list[dict[str, str]]:
    approved = await ctx.proposals.list(ctx.workspace, _LEARNED, limit=500)
    return [
        {"ref": p.ref, "title": p.title, "agent": p.change.agent, "status": p.status.value}
        for p in approved
        if since <= p.decided_at < until and _is_for(p, ctx.person)
    ][:_MOST]


def _is_for(proposal: Proposal, person: str) -> bool:
    """What concerns another person's own memory is nobody else's to read."""
    namespace = proposal.change.namespace
    return not namespace.startswith("user:") or namespace == of_user(person)


def _runs(buckets: list[Bucket]) -> dict[str, object]:
    scored = sum(b.scored for b in buckets)
    return {
        "count": sum(b.runs for b in buckets),
        "scored": scored,
        "success": round(sum(b.successes for b in buckets) / scored, 3) if scored else None,
        "cost_usd": round(sum(b.cost_usd for b in buckets), 6),
        "cost_unknown": sum(b.cost_unknown for b in buckets),
    }


def _agent(bucket: Bucket) -> dict[str, object]:
    return {
        "agent": bucket.agent,
        "version": bucket.version,
        **_runs([bucket]),
        "p50_ms": round(bucket.p50),
        "errors": dict(bucket.errors),
    }


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms // 1000, UTC).isoformat()
