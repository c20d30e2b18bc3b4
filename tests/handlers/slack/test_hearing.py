"""Who is heard in Slack, how often, and as what; and what pressing says."""

import json
from typing import Any

import pytest

from bot.model.message import Button, Card, Reply
from tests.conftest import HeldClock
from tests.fakes.inbox import RecordingInbox
from tests.fakes.slack_payloads import (
    BOT,
    BOT_ID,
    CHANNEL,
    DM,
    TEAM,
    TS,
    USER,
    Payload,
    event,
    mention,
    press,
    reaction,
    said,
    shortcut,
    slash,
    submitted,
)
from tests.fakes.slack_server import SlackServer
from tests.handlers.slack.conftest import Lines, Slack, build, web

RUN = "01890abc-0000-7000-8000-000000000001"
MARKS = {"event_type": "ratchet_run", "event_payload": {"run_id": RUN, "part": 0}}
ANSWER = {"channel": CHANNEL, "ts": "2.2", "thread_ts": TS, "metadata": MARKS, "user": BOT}
CARD = {
    "channel": CHANNEL,
    "ts": "3.3",
    "user": BOT,
    "metadata": MARKS,
    "blocks": [
        {"type": "section", "text": {"type": "mrkdwn", "text": "P12"}},
        {
            "type": "actions",
            "elements": [
                {"type": "button", "action_id": "ratchet:press:0", "value": "/approve P12"}
            ],
        },
    ],
}
THUMB = {"type": "feedback_buttons", "action_id": "ratchet:press:rate"}


def stamp(number: int) -> str:
    return f"1780000000.{number:06}"


# Loops


async def test_too_much_from_one_author_is_dropped_and_said_once(
    server: SlackServer, clock: HeldClock
) -> None:
    inbox, log = RecordingInbox(), Lines()
    channel, parts = build(server, inbox, clock, log, per_minute=3)
    await channel.start()
    async with web(channel) as http:
        slack = Slack(server, inbox, clock, log, parts, channel, http)
        for number in range(6):
            assert await slack.post(mention("on", ts=stamp(number), thread_ts=TS)) == 200
        assert len(inbox.messages) == 3
        await server.until(lambda: bool(server.ephemerals))
        assert await slack.post(mention("on", ts=stamp(2), thread_ts=TS)) == 200, "again"
        assert await slack.post(mention("stop", ts=stamp(7), thread_ts=TS)) == 200
        assert inbox.texts[-1] == "/stop"
        other = mention("hello", ts=stamp(8), user="U0SECOND", thread_ts=TS)
        assert await slack.post(other) == 200 and inbox.texts[-1] == "hello"
        clock.advance(61)
        assert await slack.post(mention("later", ts=stamp(9), thread_ts=TS)) == 200
        assert inbox.texts[-1] == "later" and len(server.ephemerals) == 1
    await channel.stop()


async def test_no_bot_gets_an_answer_whatever_it_calls_itself(slack: Slack) -> None:
    bots: list[dict[str, Any]] = [
        {"bot_id": "B0OTHER"},
        {"app_id": "A0OTHER"},
        {"bot_profile": {"id": "B0OTHER"}},
        {"subtype": "bot_message", "user": None},
        {"user": None},
        {"user": BOT},
        {"user": "USLACKBOT"},
    ]
    for number, bot in enumerate(bots):
        payload = said("answer me", channel=DM, ts=stamp(number))
        payload["event"].update(bot)
        assert await slack.post(payload) == 200
        assert slack.inbox.messages == []


# Guests


async def test_people_of_another_company_are_guests_in_every_door(slack: Slack) -> None:
    foreign = {"id": USER, "name": "ann", "team_id": "T0ABROAD"}
    button = {"action_id": "ratchet:press:0", "value": "/approve P12"}
    slack.server.messages.append(dict(CARD))
    slack.server.people["U0STRANGER"] = {"is_stranger": True, "team_id": "T0ABROAD"}
    doors = [
        mention("approve P12", user_team="T0ABROAD"),
        mention("approve P12", ts=stamp(2), source_team="T0ABROAD"),
        press(button, {"ts": TS}, user=foreign),
        reaction("white_check_mark", "3.3", user="U0STRANGER"),
        slash("/approve", "P12", user_id="U0STRANGER"),
    ]
    for door in doors:
        assert await slack.post(door) == 200
    assert [m.text for m in slack.inbox.messages] == ["/approve P12"] * len(doors)
    assert all(m.sender.is_guest for m in slack.inbox.messages)


async def test_in_a_shared_channel_whoever_is_not_known_as_ours_is_a_guest(slack: Slack) -> None:
    slack.server.people["U0OURS"] = {"team_id": TEAM}
    slack.server.people["U0THEIRS"] = {"team_id": "T0ABROAD"}
    expected = {"U0OURS": False, "U0THEIRS": True, "U0UNKNOWN": True}
    for number, user in enumerate(expected):
        shared = mention("hi", ts=stamp(number), user=user) | {"is_ext_shared_channel": True}
        assert await slack.post(shared) == 200
    ours = mention("hi", ts=stamp(9), user="U0ALSO", user_team=TEAM)
    assert await slack.post(ours | {"is_ext_shared_channel": True}) == 200
    found = {m.sender.external_id: m.sender.is_guest for m in slack.inbox.messages}
    assert found == {**expected, "U0ALSO": False}


# Stop


def stopped(channel: str, thread_ts: str) -> Payload:
    inner = {"type": "agent_session_stopped", "user": USER, "channel": channel}
    streams = {"streaming_message_ts": ["1.1"], "event_ts": "1780000100.000009"}
    return event({**inner, "thread_ts": thread_ts, **streams}, event_id="EvStop")


async def test_slacks_own_stop_reaches_the_thread_it_stands_in(slack: Slack) -> None:
    assert await slack.post(stopped(CHANNEL, TS)) == 200
    slack.parts.add(("local", f"slack:{DM}:5.5"))
    assert await slack.post(stopped(DM, "5.5")) == 200
    assert await slack.post(stopped(DM, "6.6")) == 200
    assert slack.inbox.texts == ["/stop"] * 3
    assert [m.conversation for m in slack.inbox.messages] == [
        f"slack:{CHANNEL}:{TS}",
        f"slack:{DM}:5.5",
        f"slack:{DM}",
    ]


# Feedback


async def test_a_thumb_down_is_kept_and_asks_what_should_have_been_different(slack: Slack) -> None:
    down = press({**THUMB, "value": f"/rate {RUN} down"}, {"ts": "2.2", "thread_ts": TS})
    assert await slack.post(down) == 200
    assert slack.inbox.texts == [f"/rate {RUN} down"]
    (view,) = slack.server.views
    assert view["blocks"][0]["optional"] and "different" in view["blocks"][0]["label"]["text"]
    assert await slack.post(submitted(view, "")) == 200 and len(slack.inbox.messages) == 1
    assert await slack.post(submitted(view, "say euros")) == 200
    assert slack.inbox.texts[1:] == [f"/better {RUN} say euros"]
    assert slack.inbox.messages[1].conversation == f"slack:{CHANNEL}:{TS}"


async def test_a_thumb_up_asks_nothing(slack: Slack) -> None:
    up = press({**THUMB, "value": f"/rate {RUN} up"}, {"ts": "2.2"})
    assert await slack.post(up) == 200
    assert slack.inbox.texts == [f"/rate {RUN} up"] and slack.server.views == []


@pytest.mark.parametrize(
    ("name", "says"), [("white_check_mark", "up"), ("x", "down"), ("+1::skin-tone-5", "up")]
)
async def test_an_emoji_on_an_answer_rates_it(slack: Slack, name: str, says: str) -> None:
    slack.server.messages.append(dict(ANSWER))
    assert await slack.post(reaction(name, "2.2")) == 200
    assert slack.inbox.texts == [f"/rate {RUN} {says}"]


@pytest.mark.parametrize(
    ("name", "says"), [("white_check_mark", "/approve P12"), ("x", "/decline P12"), ("+1", None)]
)
async def test_an_emoji_on_a_proposal_decides_it(slack: Slack, name: str, says: str | None) -> None:
    slack.server.messages.append(dict(CARD))
    assert await slack.post(reaction(name, "3.3")) == 200
    assert slack.inbox.texts == ([says] if says else [])


async def test_what_another_app_shows_as_a_proposal_is_none(slack: Slack) -> None:
    slack.server.messages.append(CARD | {"user": "U0APP", "bot_id": "B0APP"})
    for item_user in ("U0APP", None):
        forged = reaction("white_check_mark", "3.3")
        forged["event"]["item_user"] = item_user
        if item_user is None:
            del forged["event"]["item_user"]
        assert await slack.post(forged) == 200
    assert slack.inbox.messages == []


async def test_an_emoji_taken_away_takes_its_rating_back(slack: Slack) -> None:
    slack.server.messages.append(dict(ANSWER))
    taken = reaction("+1", "2.2")
    taken["event"]["type"] = "reaction_removed"
    assert await slack.post(taken) == 200
    left = [{"name": "-1", "users": [USER], "count": 1}, {"name": "+1", "users": ["U9"]}]
    slack.server.messages[-1]["reactions"] = left
    taken["event"]["event_ts"] = "1780000101.000001"
    assert await slack.post(taken) == 200
    assert slack.inbox.texts == [f"/rate {RUN} none", f"/rate {RUN} down"]


async def test_taking_an_emoji_off_a_proposal_decides_nothing(slack: Slack) -> None:
    slack.server.messages.append(dict(CARD))
    taken = reaction("white_check_mark", "3.3")
    taken["event"]["type"] = "reaction_removed"
    assert await slack.post(taken) == 200 and slack.inbox.messages == []


async def test_which_emoji_says_what_is_a_setting(server: SlackServer, clock: HeldClock) -> None:
    inbox, log = RecordingInbox(), Lines()
    channel, parts = build(server, inbox, clock, log, reactions={"tada": "up"})
    await channel.start()
    async with web(channel) as http:
        slack = Slack(server, inbox, clock, log, parts, channel, http)
        server.messages.append(dict(ANSWER))
        assert await slack.post(reaction("+1", "2.2")) == 200 and inbox.messages == []
        assert await slack.post(reaction("tada", "2.2")) == 200
        assert inbox.texts == [f"/rate {RUN} up"]
    await channel.stop()


# Modals


async def test_words_are_asked_for_in_the_modal_until_there_are_some(slack: Slack) -> None:
    button = {"action_id": "ratchet:ask:1:What instead?", "value": "/edit P12"}
    assert await slack.post(press(button, {"ts": TS})) == 200
    (view,) = slack.server.views
    headers, body = slack.signed(submitted(view, "  \n "))
    answer = await slack.raw(body, headers)
    assert answer.status_code == 200 and answer.json()["response_action"] == "errors"
    assert list(answer.json()["errors"]) == [view["blocks"][0]["block_id"]]
    envelope = await slack.envelope(submitted(view, ""))
    assert slack.server.acks[envelope]["payload"]["response_action"] == "errors"
    assert slack.inbox.messages == []
    assert await slack.post(submitted(view, "new words")) == 200
    assert slack.inbox.texts == ["/edit P12 new words"]


async def test_declining_takes_a_reason_or_none(slack: Slack) -> None:
    button = {"action_id": "ratchet:ask:2:Why not?", "value": "/decline P12"}
    assert await slack.post(press(button, {"ts": TS})) == 200
    assert slack.server.views[0]["blocks"][0]["optional"]
    assert await slack.post(submitted(slack.server.views[0], "")) == 200
    assert slack.inbox.texts == ["/decline P12"]


@pytest.mark.parametrize("length", [40, 3_000, 3_001])
async def test_editing_begins_with_the_words_as_they_stand(
    server: SlackServer, clock: HeldClock, length: int
) -> None:
    words = "w" * length

    async def cards(workspace: str, refs: Any) -> list[Reply]:
        assert (workspace, list(refs)) == ("local", ["P12"])
        edit = Button("Edit", "/edit P12", asks="What instead?", value=words)
        return [Reply("", card=Card("P12", ref="P12"), buttons=(edit,))]

    inbox, log = RecordingInbox(), Lines()
    channel, parts = build(server, inbox, clock, log, cards=cards)
    await channel.start()
    async with web(channel) as http:
        slack = Slack(server, inbox, clock, log, parts, channel, http)
        button = {"action_id": "ratchet:ask:1:What instead?", "value": "/edit P12"}
        assert await slack.post(press(button, {"ts": TS})) == 200
        shown = server.views[0]["blocks"][0]["element"].get("initial_value")
        assert shown == (words if length <= 3_000 else None)
    await channel.stop()


async def test_other_texts_are_edited_as_they_were_shown(
    server: SlackServer, clock: HeldClock
) -> None:
    async def shown(workspace: str, delivery_id: str) -> Reply | None:
        policy = Button("Edit", "/policy set", asks="The whole policy", value="guests: chat")
        return Reply("", buttons=(policy,)) if (workspace, delivery_id) == ("local", "d1") else None

    inbox, log = RecordingInbox(), Lines()
    channel, parts = build(server, inbox, clock, log, shown=shown)
    await channel.start()
    async with web(channel) as http:
        slack = Slack(server, inbox, clock, log, parts, channel, http)
        payload = {"run_id": RUN, "delivery": "d1", "part": 0}
        marks = {"event_type": "ratchet_run", "event_payload": payload}
        button = {"action_id": "ratchet:ask:0:The whole policy", "value": "/policy set"}
        assert await slack.post(press(button, {"ts": TS, "metadata": marks})) == 200
        assert server.views[0]["blocks"][0]["element"]["initial_value"] == "guests: chat"
    await channel.stop()


# Shortcuts


async def test_make_this_better_on_what_others_wrote_is_answered_clearly(slack: Slack) -> None:
    message = {"ts": "2.2", "user": "U0SECOND", "text": "lunch?"}
    assert await slack.post(shortcut("make_better", message)) == 200
    (view,) = slack.server.views
    assert "isn't an answer of mine" in str(view["blocks"]) and "submit" not in view
    assert slack.inbox.messages == []


async def test_a_workflow_is_saved_from_the_answer_it_was_chosen_on(slack: Slack) -> None:
    message = {"ts": "2.2", "thread_ts": TS, "metadata": MARKS, "bot_id": BOT_ID}
    assert await slack.post(shortcut("save_workflow", message)) == 200
    assert await slack.post(submitted(slack.server.views[0], "weekly")) == 200
    assert slack.inbox.texts == [f"/save-workflow weekly {RUN}"]


# Sockets


@pytest.mark.parametrize("kind", ["warning", "refresh_requested"])
async def test_two_deliveries_in_flight_survive_a_new_connection(slack: Slack, kind: str) -> None:
    await slack.server.connected()
    for number in (1, 2):
        payload = mention(f"{kind} {number}", ts=stamp(number))
        await slack.server.envelope(payload, f"in-flight-{number}")
    await slack.server.frame(json.dumps({"type": "disconnect", "reason": kind}))
    for number in (1, 2):
        await slack.server.acked(f"in-flight-{number}")
    await slack.server.until(
        lambda: [m for m, _ in slack.server.calls].count("apps.connections.open") == 2
    )
    await slack.server.envelope(mention(f"{kind} late", ts=stamp(4)), "late", 0)
    await slack.server.acked("late")
    await slack.server.hang_up()  # the old one is gone for good
    await slack.envelope(mention("after", ts=stamp(3)))
    assert slack.inbox.texts == [f"{kind} 1", f"{kind} 2", f"{kind} late", "after"]
