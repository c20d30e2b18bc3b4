"""An answer that takes its time in Slack: it grows before people's eyes, and ends once."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import slack_payloads
from tests.fakes.model_server import ModelServer
from tests.fakes.slack_server import SlackServer
from tests.stories.nodes import Node
from tests.stories.slack_people import Member, Workspace, grows, shown

QUESTION = "Please count for me"
WORDS = " ".join(f"number{n}" for n in range(40))
_LONG = 60


@dataclass
class Scene:
    slack: Workspace
    node: Node
    model: ModelServer
    member: Member

    async def asks(self) -> str:
        """The thread of a question that is not answered yet."""
        ts = self.slack.stamp()
        await self.slack.deliver(slack_payloads.mention(QUESTION, ts=ts, user=self.member.user))
        return ts

    async def growing(self) -> dict[str, Any]:
        """The answer, once some of it and not all is shown."""
        messages = self.slack.server.messages
        await self.slack.server.until(
            lambda: any(grows(m) and "number5" in shown(m) for m in messages), _LONG
        )
        (message,) = messages
        assert "number39" not in shown(message)
        return message

    async def answered(self, words: str) -> dict[str, Any]:
        """The only message there is, once it is the answer."""
        messages = self.slack.server.messages
        await self.slack.server.until(
            lambda: any(words in shown(m) and not grows(m) for m in messages), _LONG
        )
        (message,) = messages
        return message


@pytest.fixture(params=[True, False], ids=["streamed", "edited"])
async def scene(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Scene]:
    server = await SlackServer(streaming=request.param).start()
    model = await ModelServer(reply=lambda body: WORDS, pace=0.15).start()
    node = Node(tmp_path / "home", {"RATCHET_LEASE_SECONDS": "1.5"})
    slack = Workspace(server, node)
    node.set({**slack.settings(), "OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": "none"})
    await node.start()
    yield Scene(slack, node, model, slack.person("U0MEMBER", "The Member"))
    await node.kill()
    await model.stop()
    await server.stop()


async def test_it_grows_and_ends_in_the_same_message(scene: Scene) -> None:
    thread = await scene.asks()
    begun = await scene.growing()
    answer = await scene.answered("number39")
    assert answer is begun and answer["thread_ts"] == thread
    assert WORDS in shown(answer) and "generalist v1" in shown(answer)
    assert ("Asking the model" in shown(answer)) == scene.slack.server.streaming
    assert scene.model.served == 1


async def test_killed_in_the_middle_it_is_finished_in_the_same_message(scene: Scene) -> None:
    await scene.asks()
    begun = await scene.growing()
    await scene.node.kill()
    await scene.node.start()
    answer = await scene.answered("number39")
    assert answer is begun and WORDS in shown(answer) and "generalist v1" in shown(answer)


async def test_stopped_in_the_middle_it_keeps_what_was_said(scene: Scene) -> None:
    thread = await scene.asks()
    begun = await scene.growing()
    payload = slack_payloads.mention(
        "stop", ts=scene.slack.stamp(), user=scene.member.user, thread_ts=thread
    )
    await scene.slack.deliver(payload)
    messages = scene.slack.server.messages
    await scene.slack.server.until(lambda: "Stopped" in shown(begun) and not grows(begun), _LONG)
    assert "number5" in shown(begun) and "number39" not in shown(begun)
    assert sum("number5" in shown(message) for message in messages) == 1
