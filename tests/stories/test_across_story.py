"""One proposal in three places: asked for in Slack, approved on a phone, shown as it is in all."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.model.run import Run
from storage.engine import Database, url_of
from storage.runs import RunStore
from tests.fakes.slack_server import Answer, SlackServer
from tests.fakes.telegram_server import TelegramServer
from tests.stories import telegram_people
from tests.stories.nodes import Node
from tests.stories.slack_people import Workspace, labels, shown
from tests.stories.telegram_people import Phone

ADMINS = "C0ADMINS"
PHONE, STRANGER = 7, 8
QUESTION = "In which unit do we state the length of a cable?"
LESSON = "We state the length of a cable in metres"


@dataclass
class Scene:
    slack: Workspace
    telegram: TelegramServer
    home: Path

    async def commands(self, text: str) -> list[Run]:
        """What the run log knows of those who said this."""
        db = Database(url_of("", self.home))
        try:
            found = await RunStore(db).recent("local", kinds=("command",), limit=100)
            return [run for run in found if run.message == text]
        finally:
            await db.close()


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    server = await SlackServer().start()
    server.members.add(ADMINS)
    telegram = TelegramServer(now=SystemClock().now() // 1000)
    await telegram.start()
    home = tmp_path / "home"
    roles = {
        "RATCHET_ADMIN_CHANNEL": f"slack:{ADMINS}",
        "RATCHET_OWNERS": "slack:U0OWNER",
        "RATCHET_APPROVERS": f"telegram:{PHONE}, slack:U0SECOND",
    }
    node = Node(home, roles | telegram_people.settings(telegram))
    slack = Workspace(server, node)
    node.set(slack.settings())
    await node.start()
    yield Scene(slack, telegram, home)
    await node.stop()
    await telegram.stop()
    await server.stop()


async def test_a_card_is_decided_once_and_everywhere(scene: Scene) -> None:
    member = scene.slack.person("U0MEMBER", "The Member")
    owner = scene.slack.person("U0OWNER", "The Owner")
    second = scene.slack.person("U0SECOND", "Sue Second")
    approver, stranger = Phone(scene.telegram, PHONE), Phone(scene.telegram, STRANGER)
    await approver.says("/start")

    wrong = await member.says(QUESTION)
    assert "metres" not in shown(wrong)
    here = await member.says(f"better {LESSON}", wrong["thread_ts"])
    there = await owner.sees(lambda m: m["channel"] == ADMINS)
    on_phone = await approver.sees(lambda m: "Approve" in telegram_people.labels(m))
    screen: Answer = {**there}
    for text in (shown(here), shown(there), on_phone["text"]):
        assert LESSON in text and "P1" in text

    await member.presses(here, "Approve")
    await member.reads("yours is member")
    assert "approver" in (await stranger.says("/approve P1"))["text"]
    refused = await scene.commands("/approve P1")
    assert [run.error_type for run in refused] == ["forbidden"] * 2
    assert {run.channel for run in refused} == {"slack", "telegram"}

    await approver.presses(on_phone, "Approve", times=2)
    await approver.reads("Approved by Person 7", on_phone)
    for card in (here, there):
        await owner.reads("Approved by Person 7, 20", card)
        assert not labels(card)
    assert not telegram_people.labels(on_phone)

    await second.presses(screen, "Approve")
    told = await second.reads("P1 is decided already. Approved by Person 7, 20")
    assert told["thread_ts"] == there["ts"]
    assert "in metres" in shown(await member.says(QUESTION))
    assert "in metres" in await stranger.asks(QUESTION)

    await owner.commands("/rollback", "P1")
    await approver.reads("Rolled back by The Owner", on_phone)
    for card in (here, there):
        await owner.reads("Rolled back by The Owner", card)
    assert "in metres" not in await stranger.asks(QUESTION)
    assert len([m for m in scene.slack.server.messages if m["channel"] == ADMINS]) == 2

    # At the same moment: one of them decides, the other is told who did.
    await member.says("better Always thank the person first", wrong["thread_ts"], seeing="thank")
    there = await owner.sees(lambda m: m["channel"] == ADMINS and "P2" in shown(m))
    on_phone = await approver.sees(lambda m: "P2" in m["text"])
    await asyncio.gather(second.presses(there, "Approve"), approver.presses(on_phone, "Approve"))
    await second.sees(lambda m: m.get("thread_ts") == there["ts"])
    await approver.sees(lambda m: m["message_id"] > on_phone["message_id"])
    decided = await scene.commands("/approve P2")
    assert sorted(run.status.value for run in decided) == ["refused", "succeeded"]
    winner = next(run.channel for run in decided if run.status.value == "succeeded")
    name = "Sue Second" if winner == "slack" else "Person 7"
    await owner.reads(f"Approved by {name}", there)
    await approver.reads(f"Approved by {name}", on_phone)
