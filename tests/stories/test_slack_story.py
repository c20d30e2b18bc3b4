"""The whole loop in Slack: a real process, a workspace server, people who click and type."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.model.run import Run
from storage.engine import Database, url_of
from storage.runs import RunStore
from tests.fakes.slack_server import SlackServer
from tests.stories.nodes import Node
from tests.stories.slack_people import Member, Workspace, labels, shown

QUESTION = "In which unit do we state the length of a cable?"
LESSON = "We state the length of a cable in metres"


@dataclass
class Scene:
    slack: Workspace
    home: Path
    owner: Member
    member: Member
    stranger: Member

    async def runs(self) -> list[Run]:
        """The run log, newest first."""
        db = Database(url_of("", self.home))
        try:
            return await RunStore(db).recent("local", limit=200)
        finally:
            await db.close()


@pytest.fixture
async def scene(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Scene]:
    server = await SlackServer().start()
    home = tmp_path / "home"
    node = Node(home, {"RATCHET_OWNERS": "slack:U0OWNER"})
    slack = Workspace(server, node, socket=request.param == "socket")
    node.set(slack.settings())
    await node.start()
    yield Scene(
        slack,
        home,
        slack.person("U0OWNER", "The Owner"),
        slack.person("U0MEMBER", "The Member"),
        slack.person("U0STRANGER", "The Stranger", is_stranger=True),
    )
    await node.stop()
    await server.stop()


@pytest.mark.parametrize("scene", ["http", "socket"], indirect=True)
async def test_ask_better_approve_and_roll_back(scene: Scene) -> None:
    owner, member, stranger = scene.owner, scene.member, scene.stranger

    # Delivered three times, answered once, in a thread of its own.
    wrong = await owner.says(QUESTION, times=3)
    assert "metres" not in shown(wrong)
    card = await owner.says(f"better {LESSON}", thread=wrong["thread_ts"])
    assert LESSON in shown(card)
    assert labels(card) == ["Approve", "Edit", "Decline"]
    assert len(scene.slack.server.messages) == 2

    for person, role in ((member, "member"), (stranger, "guest")):
        await person.presses(card, "Approve")
        told = await person.reads(f"yours is {role}")
        assert told["thread_ts"] == card["thread_ts"]
    assert labels(card), "nobody has decided"

    await owner.presses(card, "Approve", times=2)
    await owner.reads("Approved by The Owner", card)
    assert not labels(card)

    right = await member.says(QUESTION)
    assert right["text"].startswith(LESSON) and "taught by P1" in shown(right)
    await member.reacts(right, "+1")
    await member.is_told("is rated 👍")

    undone = await owner.commands("/rollback", "P1")
    assert "P1 is rolled back" in shown(undone)
    await owner.reads("Rolled back by The Owner", card)
    assert "in metres" not in shown(await member.says(QUESTION))

    runs = await scene.runs()
    refused = [r for r in runs if r.message == "/approve P1" and r.status.value == "refused"]
    assert [r.error_type for r in refused] == ["forbidden", "forbidden"]
    assert len({r.person for r in refused}) == 2
    asked = [r for r in runs if r.message == QUESTION]
    assert [(r.kind.value, r.outcome.y) for r in asked] == [
        ("request", None),
        ("request", 1.0),
        ("request", 0.0),
    ]


@pytest.mark.parametrize("scene", ["socket"], indirect=True)
async def test_edit_and_decline_with_words_of_ones_own(scene: Scene) -> None:
    owner = scene.owner
    first = await owner.says(QUESTION)
    card = await owner.says(f"better {LESSON}", thread=first["thread_ts"])
    await owner.tells(card, "Edit", "We state the length of a cable in feet")
    await owner.reads("in feet", card)
    assert "in metres" not in shown(card) and labels(card)
    await owner.presses(card, "Approve")
    await owner.reads("Approved by", card)
    assert "in feet" in shown(await owner.says(QUESTION))

    thread = first["thread_ts"]
    again = await owner.says("better Always thank the person first", thread, seeing="Always thank")
    await owner.tells(again, "Decline", "that sounds false")
    await owner.reads("that sounds false", again)
    assert "Declined by The Owner" in shown(again) and not labels(again)
    said = await owner.says("better always thank the person FIRST.", thread, seeing="Noted.")
    assert "not proposed again" in shown(said) and "that sounds false" in shown(said)
    assert not labels(said)
