"""What a run may take before it counts no more: twice what the incumbent took, nine times in ten."""

from collections.abc import Collection, Mapping, Sequence

from bot.improve.verdicts.evidence import COST, LATENCY, twice_p90
from bot.ports.stores import Closed, Evidence

_LOOKED_AT = 300
_ENOUGH = 10


async def caps(evidence: Evidence, workspace: str, agents: Collection[str]) -> Mapping[str, float]:
    """From the last answered runs of these agents, of all agents where these have too few. What
    is not known of enough of them has no cap, and so no guardrail."""
    for named in (sorted(agents), []):
        runs = await evidence.lately(workspace, named, _LOOKED_AT)
        if len(runs) >= _ENOUGH:
            return of(runs)
    return {}


def of(runs: Sequence[Closed]) -> Mapping[str, float]:
    took = [float(run.latency_ms) for run in runs if run.latency_ms > 0]
    paid = [run.cost_usd for run in runs if run.cost_usd]
    found = {LATENCY: took, COST: paid}
    limits = {name: twice_p90(values) for name, values in found.items() if len(values) >= _ENOUGH}
    return {name: limit for name, limit in limits.items() if limit}
