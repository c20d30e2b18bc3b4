"""An agent that is paused takes no requests, and whoever asks it by name is told."""

from bot.app import App
from bot.model.run import RunStatus
from tests.bot.dispatch.saying import OWNER, said, say, steps
from tests.fakes.model_server import ModelServer


async def test_others_take_the_requests_of_a_paused_agent(app: App, model: ModelServer) -> None:
    before = await say(app, "Please write and polish an announcement text")
    assert before.agent == "writer"
    await say(app, "/agents pause writer tired", sender=OWNER)
    run = await say(app, "Please write and polish an announcement text")
    assert run.agent not in ("", "writer") and run.status is RunStatus.SUCCEEDED
    [route] = [s for s in await steps(app, run) if s.kind == "route"]
    assert "paused: writer" in str(route.output)
    for changes in ({"text": "@writer a haiku"}, {"text": "a haiku", "agent": "writer"}):
        refused = await say(app, **changes)
        assert refused.status is RunStatus.REFUSED
        assert "writer is paused since" in said(refused) and "(tired)" in said(refused)
    await say(app, "/agents resume writer", sender=OWNER)
    assert (await say(app, "@writer a haiku")).agent == "writer"


async def test_where_all_of_them_rest_it_says_so(app: App) -> None:
    for agent in await app.services.agents.current("local"):
        await app.services.brake.pause("local", agent.name, "owner")
    run = await say(app, "Hello")
    assert run.status is RunStatus.REFUSED and "is paused" in said(run)
