"""What programs can say of an answer is said the moment it is given."""

import json
from dataclasses import replace

import pytest

from bot.app import App
from bot.model.run import Outcome
from bot.model.workflow import Workflow
from tests.bot.dispatch.saying import WORKSPACE, kept, say
from tests.fakes.model_answers import Answer
from tests.fakes.model_server import ModelServer

RUNBOOK = "# Refund window\n\nLook it up.\n\n## Check\n- matches: # days\n"


def calling(tool: str, **arguments: str) -> Answer:
    return Answer(tool_calls=((tool, json.dumps(arguments)),))


async def test_a_tool_that_failed_at_last_fails_the_answer(app: App, model: ModelServer) -> None:
    model.then(calling("calculator", expression="1/0"), "I can't tell.")
    assert (await kept(app, await say(app, "What is that?"))).outcome == Outcome(0.0, "check")


async def test_an_agent_that_finds_another_way_has_not_failed(app: App, model: ModelServer) -> None:
    model.then(calling("calculator", expression="1/0"), calling("calculator", expression="4/2"))
    model.then("It is 2.")
    assert (await kept(app, await say(app, "What is that?"))).outcome == Outcome()


@pytest.mark.parametrize(("answer", "y"), [("It is 30 days.", 1.0), ("Some days.", 0.0)])
async def test_a_runbook_that_was_followed_is_checked(
    app: App, model: ModelServer, answer: str, y: float
) -> None:
    services = app.services
    await services.workflows.save(
        Workflow(WORKSPACE, "refund-window", 0, RUNBOOK, "r1", "owner", 1)
    )
    [agent] = [a for a in await services.agents.current(WORKSPACE) if a.name == "generalist"]
    knowing = replace(agent, workflows=("refund-window@1",))
    await services.agents.deploy(WORKSPACE, knowing, base=agent.version, source="P1")
    model.then(answer)
    run = await say(app, "@generalist How long is the refund window?")
    assert (await kept(app, run)).outcome == Outcome(y, "check")
    model.then(answer)
    other = await say(app, "@generalist Who signs the lease?")
    assert (await kept(app, other)).outcome == Outcome()
