"""Sorts the kinds of requests anew, from the newest ones together, where scikit-learn is there."""

import asyncio
from collections.abc import Callable, Sequence

from bot.agents.router import without_mention
from bot.improve.clusters import Clusters
from bot.improve.forecast import CLOSED, known_of
from bot.llm import grouping
from bot.model.run import RunKind
from bot.model.terms import teaches
from bot.model.words import count
from bot.ports.stores import State
from bot.services import Services

Grouper = Callable[[Sequence[str]], Sequence[int]]

_DAY = 86_400_000
_DAYS = (1, 7, 30)
_FEW, _MOST = 500, 3_000


async def work(services: Services, workspace: str, run_id: str) -> str:
    if not grouping.installed():
        return "left as it is: scikit-learn isn't installed (the extra `clusters`)"
    return await regroup(services, workspace, grouping.groups)


async def regroup(services: Services, workspace: str, groups: Grouper) -> str:
    """By compare-and-set: what is folded meanwhile wins."""
    texts = await _texts(services, workspace)
    found = await asyncio.to_thread(groups, texts) if texts else []
    if max(found, default=-1) < 0:
        return f"left as it is: no groups in {len(texts):,} requests"
    before = await services.states.get(workspace, CLOSED)
    known = known_of(before.state)
    clusters = Clusters(known.get("clusters"))
    clusters.regroup(texts, found)
    state = {**before.state, "known": {**known, "clusters": clusters.dump()}}
    now = services.clock.now()
    if not await services.states.move(
        workspace, CLOSED, before, State(before.watermark, state), now
    ):
        return "left as it is: requests were read meanwhile"
    await services.forecast.refresh(workspace)
    return f"{count(max(found) + 1, 'group')} of {len(texts):,} requests"


async def _texts(services: Services, workspace: str) -> list[str]:
    """Of the last day, week or month: whichever has enough."""
    now, texts = services.clock.now(), list[str]()
    for days in _DAYS:
        runs = await services.runs.between(workspace, now - days * _DAY, now, limit=_MOST)
        texts = [
            without_mention(run.message, run.agent)
            for run in runs
            if run.kind is RunKind.REQUEST and teaches(run.channel) and run.message
        ]
        if len(texts) >= _FEW:
            break
    return texts
