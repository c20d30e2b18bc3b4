"""What is likely to come of a request, beside the router's decision: it settles what words don't."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, replace

import structlog

from bot.agents.router import Decision, without_mention
from bot.errors import RatchetError
from bot.model.prediction import Choice, Prediction, choose, coin_of
from bot.model.run import Run

log = structlog.get_logger()

Predict = Callable[[str, str, Sequence[str]], Awaitable[Mapping[str, Prediction]]]
"""(workspace, request, names of agents) → what is likely to come of it, by agent."""


async def foreseen(run: Run, decision: Decision, predict: Predict | None) -> Decision:
    """The same decision with what is likely to come of it, or another agent where names and words
    leave it open and history doesn't. The same run, roster and history give the same."""
    if predict is None:
        return decision
    first = decision.agent.name
    near = {agent.name: agent for agent in decision.near}
    try:
        asked = without_mention(run.message, first)
        predicted = await predict(run.workspace, asked, [*(near or (first,))])
    except RatchetError as error:
        # History is a help; without it the request is answered all the same.
        log.warning("not_predicted", run_id=run.id, cause=str(error))
        return decision
    taken = Choice(first)
    if len(near) > 1 and first in near:
        # Whoever is in the middle of a conversation is not experimented with.
        coin = coin_of(run.id) if decision.fresh else 1.0
        taken = choose(predicted, [*near], first, coin)
    told = _as_json(predicted.get(taken.agent), taken.explored)
    if not taken.why:
        return replace(decision, predicted=told)
    why = f"{decision.why}; {taken.why}"
    return replace(decision, agent=near[taken.agent], why=why, clear=True, predicted=told)


def _as_json(prediction: Prediction | None, explored: bool) -> Mapping[str, object] | None:
    if prediction is None:
        return {"explored": True} if explored else None
    told = {name: value for name, value in asdict(prediction).items() if value is not None}
    return {**told, "explored": True} if explored else told
