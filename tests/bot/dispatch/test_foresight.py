"""What history says of a request, in a whole Ratchet: who gets it, why, and where it is told."""

from collections.abc import Mapping
from typing import Any

from bot.app import App
from bot.improve.clusters import Clusters
from bot.improve.forecast import CLOSED, SCORED
from bot.improve.predictor import Predictor
from bot.model.run import Run
from bot.ports.stores import State
from tests.bot.dispatch.saying import WORKSPACE, said, say, steps

ASK = "frobnicate the left widget"
AGENTS = ("analyst", "researcher", "writer", "generalist")


async def learned(app: App, ops: float, others: float) -> None:
    """A history in which everyone had 50 such requests, and ops was as good as that at them."""
    clusters, predictor = Clusters(), Predictor()
    for n in range(50):
        cluster = clusters.learn(f"frobnicate the widget of {'abcde'[n % 5] * 3}")
        for agent, success in (("ops", ops), *((agent, others) for agent in AGENTS)):
            predictor.judged(cluster, agent, 1, float(n < success * 50))
            predictor.closed(cluster, agent, 1, 800, 0.002)
    known = {"clusters": clusters.dump(), "predictor": predictor.dump()}
    for name in (CLOSED, SCORED):
        before = await app.services.states.get(WORKSPACE, name)
        assert await app.services.states.move(
            WORKSPACE, name, before, State("r", {"known": known}), 1
        )
    await app.services.forecast.refresh(WORKSPACE)


async def routed(app: App, run: Run) -> Mapping[str, Any]:
    output = (await steps(app, run))[0].output
    assert isinstance(output, Mapping)
    return output


async def test_an_open_request_goes_to_whoever_was_surely_better(app: App) -> None:
    await learned(app, 0.9, 0.4)
    run = await say(app, ASK)
    assert run.agent == "ops"
    route = await routed(app, run)
    assert route["why"].startswith("no specialty matches clearly; predicted success ")
    assert route["why"].endswith("n=50; generalist 40%")
    assert route["predicted"]["agent"] == "ops" and route["predicted"]["n"] == 50
    told = said(await say(app, f"/why {run.short}"))
    assert "**Predicted** success " in told and "800 ms [800 ms to 800 ms], $0.0020" in told
    assert "**Came** no outcome yet" in told


async def test_a_name_is_not_overruled_but_what_is_likely_is_kept(app: App) -> None:
    await learned(app, 0.9, 0.4)
    run = await say(app, f"@writer {ASK}")
    route = await routed(app, run)
    assert (run.agent, route["why"]) == ("writer", "mentioned as @writer")
    assert route["predicted"]["agent"] == "writer" and route["predicted"]["success"] < 0.5


async def test_without_history_all_is_as_before(app: App) -> None:
    run = await say(app, ASK)
    assert run.agent == "generalist"
    assert "predicted" not in await routed(app, run)
    assert "**Predicted**" not in said(await say(app, f"/why {run.short}"))


async def test_alike_agents_are_tried_now_and_then_and_it_is_said(app: App) -> None:
    await learned(app, 0.6, 0.6)
    runs = [await say(app, ASK) for _ in range(200)]
    explored = [run for run in runs if run.agent != "generalist"]
    assert 10 < len(explored) < 80  # of 200, a fifth: 40, give or take
    for run in explored:
        route = await routed(app, run)
        assert route["predicted"]["explored"] is True
        assert route["why"].endswith(", n=50, explored")
