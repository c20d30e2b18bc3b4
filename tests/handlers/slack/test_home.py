"""App Home: published as it is opened, pressed as commands, anew after each."""

from collections.abc import Sequence
from typing import Any

from bot.home import Section
from bot.model.message import Button, Sender
from handlers.slack.home import rendered
from tests.conftest import HeldClock
from tests.fakes.inbox import RecordingInbox
from tests.fakes.slack_blocks import check_home
from tests.fakes.slack_payloads import BOT, DM, TEAM, USER, Payload, event, submitted
from tests.fakes.slack_server import SlackServer
from tests.handlers.slack.conftest import Lines, Slack, build, web


class House:
    """What people find, and what was asked for once."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Sender]] = []
        self.once: set[tuple[str, str]] = set()

    async def page(self, workspace: str, sender: Sender) -> Sequence[Section]:
        self.asked.append((workspace, sender))
        buttons = (
            Button("Approve", "/approve P1", "primary"),
            Button("Decline", "/decline P1", "danger", asks="Why not?"),
        )
        return (Section("Hello", (f"Visit *{len(self.asked)}* & more",), buttons),)

    async def first(self, workspace: str, key: str) -> bool:
        new = (workspace, key) not in self.once
        self.once.add((workspace, key))
        return new


def opened(tab: str | None, **more: Any) -> Payload:
    inner = {"type": "app_home_opened", "user": USER, "channel": DM, "event_ts": "1.1", **more}
    return event(inner if tab is None else {**inner, "tab": tab})


def pressed(element: dict[str, Any]) -> Payload:
    return {
        "type": "block_actions",
        "team": {"id": TEAM},
        "user": {"id": USER, "username": "member", "team_id": TEAM},
        "container": {"type": "view", "view_id": "V1"},
        "view": {"id": "V1", "type": "home", "app_installed_team_id": TEAM},
        "actions": [{"type": "button", "action_ts": "1.2", "block_id": "b", **element}],
        "trigger_id": "1.2.home",
    }


async def visit(server: SlackServer, clock: HeldClock, house: House) -> Slack:
    inbox, log = RecordingInbox(), Lines()
    channel, parts = build(server, inbox, clock, log, page=house.page, once=house.first)
    await channel.start()
    return Slack(server, inbox, clock, log, parts, channel, web(channel))


def buttons(server: SlackServer) -> dict[str, dict[str, Any]]:
    found = [e for b in server.homes[USER]["blocks"] for e in b.get("elements", ())]
    return {element["text"]["text"]: element for element in found}


async def test_the_page_is_shown_when_it_is_opened(server: SlackServer, clock: HeldClock) -> None:
    house = House()
    slack = await visit(server, clock, house)
    server.people[USER] = {"is_restricted": True}
    for tab in ("home", None):
        assert await slack.post(opened(tab)) == 200
    assert "Visit _2_ &amp; more" in str(server.homes[USER])
    assert house.asked[0][0] == "local" and house.asked[0][1].is_guest
    await slack.channel.stop()


async def test_a_press_is_a_command_in_the_persons_own_conversation(
    server: SlackServer, clock: HeldClock
) -> None:
    slack = await visit(server, clock, House())
    assert await slack.post(opened("home")) == 200
    assert await slack.post(pressed(buttons(server)["Approve"])) == 200
    (heard,) = slack.inbox.messages
    assert heard.text == "/approve P1" and heard.is_button
    own = "D" + USER[1:]
    assert heard.conversation == f"slack:{own}" and heard.address["channel"] == own
    await server.until(lambda: "Visit _2_" in str(server.homes[USER]))
    await slack.channel.stop()


async def test_a_question_asked_there_is_answered_there(
    server: SlackServer, clock: HeldClock
) -> None:
    slack = await visit(server, clock, House())
    assert await slack.post(opened("home")) == 200
    assert await slack.post(pressed(buttons(server)["Decline"])) == 200
    assert await slack.post(submitted(server.views[0], "not now")) == 200
    (heard,) = slack.inbox.messages
    assert heard.text == "/decline P1 not now" and heard.address["channel"] == "D" + USER[1:]
    await server.until(lambda: "Visit _2_" in str(server.homes[USER]))
    await slack.channel.stop()


async def test_prompts_are_suggested_once_in_a_direct_message(
    server: SlackServer, clock: HeldClock
) -> None:
    slack = await visit(server, clock, House())
    for _ in range(3):
        assert await slack.post(opened("messages")) == 200
    (asked,) = server.prompts
    assert asked["channel_id"] == DM and server.homes == {}
    await slack.channel.stop()


async def test_slack_without_these_things_loses_nothing(
    server: SlackServer, clock: HeldClock
) -> None:
    slack = await visit(server, clock, House())
    server.fail("views.publish", "unknown_method")
    server.fail("assistant.threads.setSuggestedPrompts", "unknown_method")
    assert await slack.post(opened("home")) == 200
    assert await slack.post(opened("messages")) == 200
    odd: list[dict[str, Any]] = [{"user": None}, {"user": BOT}, {"channel": None}, {"view": 7}]
    for more in odd:
        for tab in ("home", "messages"):
            assert await slack.post(opened(tab, **more)) == 200
    await slack.channel.stop()


def test_a_page_too_long_is_cut_where_slack_would_refuse_it() -> None:
    many = tuple(Button("b" * 100, f"/run {n:08}", asks="q" * 400) for n in range(12))
    lines = tuple("<@U1> " + "word " * 800 for _ in range(4))
    sections = [Section("t" * 200, lines, many) for _ in range(40)]
    view = rendered(sections)
    check_home(view)
    assert "more than fits" in str(view)
    check_home(rendered([]))


def test_what_people_wrote_cannot_ring_anybody_there() -> None:
    view = rendered([Section("", ("hi <!channel> and <@U1>",))])
    assert "<!channel>" not in str(view) and "<@U1>" not in str(view)
