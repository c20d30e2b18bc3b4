"""The loop in a Slack that others wrote, over Socket Mode and signed HTTP: `make stories`."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.stories.local_slack import BOT, MEMBER, OWNER, LocalSlack, labels, shown
from tests.stories.nodes import Node

QUESTION = "In which unit do we state the length of a cable?"
LESSON = "We state the length of a cable in metres"


@pytest.fixture(params=["socket", "http"])
async def slack(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[LocalSlack]:
    node = Node(tmp_path / "home", {})
    url = f"{node.url}/slack/events" if request.param == "http" else ""
    server = LocalSlack(tmp_path, url)
    node.set(server.settings())
    await server.start()
    await node.start()
    if not url:
        await server.until(lambda state: state["apps"][0]["connected"])
    yield server
    await node.stop()
    await server.stop()


async def test_ask_better_approve_and_roll_back(slack: LocalSlack) -> None:
    said = await slack.says(MEMBER, f"<@{BOT}> {QUESTION}")
    wrong = await slack.sees(
        lambda m: m.get("thread_ts") == said["ts"] and "generalist" in shown(m)
    )
    assert "metres" not in shown(wrong)

    more = await slack.says(MEMBER, "What is 17 * 23?", thread=said["ts"])
    told = await slack.reads("391", since=more["ts"])
    assert told["thread_ts"] == said["ts"]

    await slack.says(MEMBER, f"<@{BOT}> better {LESSON}", thread=said["ts"])
    card = await slack.sees(lambda m: "Approve" in labels(m))
    assert LESSON in shown(card) and card["thread_ts"] == said["ts"]
    await slack.presses(MEMBER, card, "Approve")
    await slack.reads("yours is member")

    await slack.presses(OWNER, card, "Edit")
    await slack.types(OWNER, "We state the length of a cable in feet")
    await slack.reads("in feet", on=card)
    await slack.presses(OWNER, card, "Approve")
    await slack.presses(OWNER, card, "Approve")
    decided = await slack.reads("Approved by ", on=card)
    assert not labels(decided)

    again = await slack.says(MEMBER, f"<@{BOT}> {QUESTION}")
    right = await slack.reads("in feet", since=again["ts"])
    assert right["thread_ts"] == again["ts"]
    await slack.reacts(MEMBER, right, "+1")
    rated = await slack.reads("rated", since=right["ts"])
    assert rated.get("ephemeral_to") == MEMBER

    await slack.commands(OWNER, "/rollback", "P1")
    await slack.reads("P1 is rolled back")
    await slack.reads("Rolled back by ", on=card)
    assert await slack.refusals() == []


async def test_thumbs_ask_what_should_have_been_different(slack: LocalSlack) -> None:
    await slack.says(MEMBER, f"<@{BOT}> {QUESTION}")
    wrong = await slack.sees(lambda m: "feedback_buttons" in shown(m))
    await slack.rates(MEMBER, wrong, "negative")
    await slack.types(MEMBER, LESSON)
    card = await slack.sees(lambda m: "Approve" in labels(m))
    assert LESSON in shown(card) and card["thread_ts"] == wrong["thread_ts"]


async def test_home_shows_the_owner_more(slack: LocalSlack) -> None:
    for user in (OWNER, MEMBER):
        await slack.opens_home(user)
    homes = await slack.until(lambda state: len(state["homeViews"]) == 2 and state["homeViews"])
    assert "Budget" in str(homes[OWNER]["A0APP"]) and "Budget" not in str(homes[MEMBER]["A0APP"])


async def test_a_direct_message(slack: LocalSlack) -> None:
    said = await slack.says(MEMBER, "What is 17 * 23?", channel=MEMBER)
    told = await slack.reads("391")
    assert told["channel"] == said["channel"]


async def test_a_file_reaches_the_agent(slack: LocalSlack) -> None:
    said = f"<@{BOT}> What is in this file?"
    await slack.uploads(MEMBER, said, "cables.csv", b"cable,metres\nred,12\n")
    await slack.reads("cables.csv")
