"""Deliveries over signed HTTP and Socket Mode: kept once, acknowledged only when kept."""

import json

import pytest

from bot.errors import BadInput, StorageError
from tests.conftest import HeldClock
from tests.fakes.inbox import RecordingInbox
from tests.fakes.slack_payloads import (
    BOT,
    CHANNEL,
    DM,
    TS,
    USER,
    event,
    mention,
    press,
    reaction,
    said,
    shortcut,
    signed,
    slash,
    submitted,
)
from tests.fakes.slack_server import SlackServer
from tests.handlers.slack.conftest import SECRET, Lines, Slack, build, web

RUN = "01890abc-0000-7000-8000-000000000001"
MARKS = {"event_type": "ratchet_run", "event_payload": {"run_id": RUN, "part": 0}}


async def test_both_transports_bring_the_same_message(slack: Slack) -> None:
    assert await slack.post(mention("over http")) == 200
    await slack.envelope(mention("over the socket", ts="1780000001.000100"))
    assert slack.inbox.texts == ["over http", "over the socket"]


async def test_one_message_however_often_it_is_delivered(slack: Slack) -> None:
    assert await slack.post(mention("once")) == 200
    assert await slack.post(said(f"<@{BOT}> once")) == 200
    retry = {"x-slack-retry-num": "1", "x-slack-retry-reason": "http_timeout"}
    assert await slack.post(mention("once"), **retry) == 200
    await slack.envelope(mention("once"))
    assert slack.inbox.texts == ["once"] and slack.inbox.deliveries == 4


async def test_a_retry_may_be_the_first_to_arrive(slack: Slack) -> None:
    assert await slack.post(mention("late"), **{"x-slack-retry-num": "3"}) == 200
    assert slack.inbox.texts == ["late"]


async def test_thread_replies_are_heard_only_where_the_bot_takes_part(slack: Slack) -> None:
    reply = said("and tomorrow?", ts="1780000009.000100", thread_ts=TS)
    assert await slack.post(reply) == 200 and slack.inbox.messages == []
    slack.parts.add(("local", f"slack:{CHANNEL}:{TS}"))
    assert await slack.post(reply) == 200
    assert slack.inbox.texts == ["and tomorrow?"]


async def test_every_subscribed_and_every_unknown_event_is_acknowledged(slack: Slack) -> None:
    for kind in ("app_home_opened", "app_context_changed", "tokens_revoked", "never_heard_of"):
        payload = event({"type": kind, "user": USER, "channel": DM, "tab": "home"})
        assert await slack.post(payload) == 200, slack.log.lines
        await slack.envelope(payload)
    assert await slack.post({"type": "shortcut", "callback_id": "unknown"}) == 200
    assert slack.inbox.messages == []


async def test_a_full_disk_leaves_the_delivery_with_slack(slack: Slack) -> None:
    slack.inbox.refusals = [StorageError("database is locked")]
    assert await slack.post(mention("keep me")) == 503
    assert await slack.post(mention("keep me"), **{"x-slack-retry-num": "1"}) == 200
    assert slack.inbox.texts == ["keep me"]
    slack.inbox.refusals = [StorageError("database is locked")]
    await slack.server.connected()
    second = mention("me too", ts="1780000002.000100")
    await slack.server.envelope(second, "refused")
    await slack.server.envelope(second, "again")
    await slack.server.acked("again")
    assert "refused" not in slack.server.acks
    assert slack.inbox.texts[-1] == "me too"


async def test_an_unexpected_failure_keeps_the_process_and_the_delivery(slack: Slack) -> None:
    slack.inbox.refusals = [RuntimeError("a bug")]
    assert await slack.post(mention("hello")) == 503
    assert "slack_delivery_failed" in slack.log.events()
    assert await slack.post(mention("hello")) == 200


async def test_what_cannot_be_used_is_acknowledged_and_said(slack: Slack) -> None:
    slack.inbox.refusals = [BadInput(said="That is too long; please send less.")]
    assert await slack.post(mention("x" * 1_000_000)) == 200
    await slack.server.until(lambda: bool(slack.server.ephemerals))
    assert "too long" in slack.server.ephemerals[0]["text"]


async def test_forged_and_stale_requests_are_refused(slack: Slack) -> None:
    body = json.dumps(mention("let me in")).encode()
    now = slack.clock.now() // 1000
    good = signed(SECRET, body, now, "application/json")
    forged = [
        {"content-type": "application/json"},
        signed("guessed", body, now, "application/json"),
        signed(SECRET, body, now - 301, "application/json"),
        signed(SECRET, body, now + 301, "application/json"),
        signed(SECRET, body + b" ", now, "application/json"),
        {**good, "x-slack-signature": ""},
        {**good, "x-slack-request-timestamp": "soon"},
        {**good, "x-slack-request-timestamp": str(now + 1)},
    ]
    for headers in forged:
        assert (await slack.raw(body, headers)).status_code == 401
    assert (await slack.raw(b"ssl_check=1", {})).status_code == 401
    challenge = b'{"type":"url_verification","challenge":"c"}'
    assert (await slack.raw(challenge, {})).status_code == 401
    assert slack.inbox.deliveries == 0
    assert (await slack.raw(body, good)).status_code == 200


async def test_a_replayed_request_is_the_same_message(slack: Slack) -> None:
    body = json.dumps(mention("again")).encode()
    headers = signed(SECRET, body, slack.clock.now() // 1000, "application/json")
    assert [(await slack.raw(body, headers)).status_code for _ in range(3)] == [200] * 3
    assert slack.inbox.texts == ["again"]
    slack.clock.advance(301)
    assert (await slack.raw(body, headers)).status_code == 401


async def test_slacks_challenge_is_answered_when_signed(slack: Slack) -> None:
    body = b'{"type":"url_verification","challenge":"c0ffee","token":"x"}'
    headers = signed(SECRET, body, slack.clock.now() // 1000, "application/json")
    answer = await slack.raw(body, headers)
    assert answer.status_code == 200 and answer.json()["challenge"] == "c0ffee"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b'"x"',
        b"\xff\xfe",
        b"payload=",
        b"payload={",
        b"payload=[1]",
        b'{"type":"event_callback","event":[1]}',
        b'{"type":"event_callback","event":null}',
        b'{"type":"event_callback","authorizations":5,"event":{"type":"message"}}',
        b'{"type":"event_callback","team":7,"event":{"type":"message"}}',
        b'{"type":"event_callback","event":{"type":5,"user":{},"channel":{}}}',
        b'{"type":"event_callback","event":{"type":"reaction_added","item":7,"user":"U1"}}',
        b'{"type":"event_callback","event":{"type":"message","text":7,"ts":[],"user":1}}',
        b'payload={"type":"block_actions","actions":7,"user":3}',
        b'payload={"type":"block_actions","actions":[7],"user":{}}',
        b'payload={"type":"view_submission","view":{"callback_id":"ratchet:ask:","state":4}}',
        b'payload={"type":"message_action","callback_id":"make_better"}',
        b"command=%2Fbetter",
        b"[" * 5_000,
    ],
)
async def test_malformed_requests_end_nothing(slack: Slack, body: bytes) -> None:
    for kind in ("application/json", "application/x-www-form-urlencoded"):
        headers = signed(SECRET, body, slack.clock.now() // 1000, kind)
        assert (await slack.raw(body, headers)).status_code in (200, 400)
    assert await slack.post(mention("still here")) == 200
    assert slack.inbox.texts == ["still here"]


async def test_malformed_frames_end_nothing(slack: Slack) -> None:
    await slack.server.connected()
    for raw in ("", "{", "[]", "7", '{"type":"x"}', '{"envelope_id":7}', '{"type":"hello"}'):
        await slack.server.frame(raw)
    await slack.server.frame('{"envelope_id":"bad","type":"events_api","payload":{"event":[]}}')
    await slack.server.acked("bad")
    await slack.envelope(mention("still here"))
    assert slack.inbox.texts == ["still here"]


async def test_too_large_a_request_is_not_read(slack: Slack) -> None:
    assert (await slack.raw(b"x" * (5 << 20), {})).status_code == 413


async def test_without_a_signing_secret_there_is_no_route(
    server: SlackServer, clock: HeldClock
) -> None:
    channel, _ = build(server, RecordingInbox(), clock, Lines(), signing_secret=None)
    assert channel.routes() == () and channel.summary == "Socket Mode"
    channel, _ = build(server, RecordingInbox(), clock, Lines(), app_token=None, signing_secret="")
    assert channel.routes() == () and "SLACK_APP_TOKEN" in channel.summary
    channel, _ = build(server, RecordingInbox(), clock, Lines(), app_token=None)
    assert [route.path for route in channel.routes()] == ["/slack/events"]


async def test_slash_commands_by_either_transport(slack: Slack) -> None:
    assert await slack.post(slash("/better", "say euros")) == 200
    assert await slack.post(slash("/better", "say euros")) == 200
    await slack.envelope(slash("/metrics", "", trigger_id="2.2"))
    assert slack.inbox.texts == ["/better say euros", "/metrics"]


async def test_a_button_says_its_command(slack: Slack) -> None:
    message = {"ts": TS, "thread_ts": "1.1"}
    button = {"action_id": "ratchet:press:0", "value": "/approve P12"}
    for _ in range(2):
        assert await slack.post(press(button, message)) == 200
    (heard,) = slack.inbox.messages
    assert heard.text == "/approve P12" and heard.is_button
    assert heard.conversation == f"slack:{CHANNEL}:1.1"
    again = press(button, message, trigger_id="1.2.again")
    assert await slack.post(again) == 200 and len(slack.inbox.messages) == 2


@pytest.mark.parametrize(
    "button",
    [
        {"action_id": "other", "value": "/approve P1"},
        {"action_id": "ratchet:press:0", "value": "approve P1"},
        {"action_id": "ratchet:press:0"},
        {"value": "/approve P1"},
    ],
)
async def test_buttons_that_are_not_ours_say_nothing(slack: Slack, button: dict[str, str]) -> None:
    assert await slack.post(press(button, {"ts": TS})) in (200, 400)
    assert slack.inbox.messages == []


async def test_a_button_that_asks_opens_a_modal_first(slack: Slack) -> None:
    button = {"action_id": "ratchet:ask:1:Why not?", "value": "/decline P12"}
    for _ in range(2):  # delivered again, it is one press
        assert await slack.post(press(button, {"ts": TS})) == 200
    (view,) = slack.server.views
    assert view["blocks"][0]["label"]["text"] == "Why not?" and slack.inbox.messages == []
    assert await slack.post(submitted(view, "too vague\nfor me")) == 200
    assert await slack.post(submitted(view, "too vague\nfor me")) == 200
    (heard,) = slack.inbox.messages
    assert heard.text == "/decline P12 too vague\nfor me" and heard.is_button
    assert heard.conversation == f"slack:{CHANNEL}:{TS}"


async def test_a_window_that_does_not_open_is_told(slack: Slack) -> None:
    slack.server.fail("views.open", "expired_trigger_id", times=2)
    button = {"action_id": "ratchet:ask:1:Why not?", "value": "/decline P12"}
    assert await slack.post(press(button, {"ts": TS})) == 200
    await slack.server.until(lambda: bool(slack.server.ephemerals))
    (told,) = slack.server.ephemerals
    assert "!decline P12" in told["text"] and told["user"] == USER
    assert told["thread_ts"] == TS
    # A thumb down counts without the window.
    thumb = {"action_id": "ratchet:press:rate", "value": f"/rate {RUN} down"}
    assert await slack.post(press(thumb, {"ts": TS}, trigger_id="1.3")) == 200
    assert slack.inbox.texts == [f"/rate {RUN} down"]
    assert slack.log.events().count("slack_modal_not_opened") == 2
    assert slack.server.ephemerals == [told]


async def test_make_this_better_finds_the_run_behind_the_message(slack: Slack) -> None:
    shown = {"channel": CHANNEL, "ts": TS, "text": "answer", "metadata": MARKS, "bot_id": "B0BOT"}
    slack.server.messages.append(shown)
    bare = {key: value for key, value in shown.items() if key != "metadata"}
    assert await slack.post(shortcut("make_better", bare)) == 200
    assert await slack.post(submitted(slack.server.views[0], "say euros")) == 200
    assert slack.inbox.texts == [f"/better {RUN} say euros"]


async def test_save_as_workflow_asks_for_a_name(slack: Slack) -> None:
    message = {"ts": "2.2", "thread_ts": TS, "text": "answer"}
    assert await slack.post(shortcut("save_workflow", message)) == 200
    assert await slack.post(submitted(slack.server.views[0], "weekly")) == 200
    assert slack.inbox.texts == ["/save-workflow weekly"]
    assert slack.inbox.messages[0].conversation == f"slack:{CHANNEL}:{TS}"


@pytest.mark.parametrize(
    ("name", "verdict"),
    [("+1", "up"), ("thumbsup", "up"), ("-1", "down"), ("thumbsdown::skin-tone-3", "down")],
)
async def test_a_thumb_rates_the_run_behind_the_message(
    slack: Slack, name: str, verdict: str
) -> None:
    shown = {"channel": CHANNEL, "ts": "2.2", "thread_ts": TS, "metadata": MARKS}
    slack.server.messages.append(shown)
    assert await slack.post(reaction(name, "2.2")) == 200
    (heard,) = slack.inbox.messages
    assert heard.text == f"/rate {RUN} {verdict}" and heard.is_button
    assert heard.conversation == f"slack:{CHANNEL}:{TS}"


async def test_other_reactions_and_other_messages_are_not_feedback(slack: Slack) -> None:
    slack.server.messages.append({"channel": CHANNEL, "ts": "2.2", "text": "of a person"})
    for payload in (reaction("tada", "2.2"), reaction("+1", "2.2"), reaction("+1", "9.9")):
        assert await slack.post(payload) == 200
    own = reaction("+1", "2.2", user=BOT)
    assert await slack.post(own) == 200
    assert slack.inbox.messages == []


async def test_feedback_is_not_lost_while_slack_is_busy(slack: Slack) -> None:
    slack.server.messages.append({"channel": CHANNEL, "ts": "2.2", "metadata": MARKS})
    slack.server.fail("conversations.replies", "429", retry_after=60)
    assert await slack.post(reaction("+1", "2.2")) == 503
    assert await slack.post(reaction("+1", "2.2")) == 200
    assert slack.inbox.texts == [f"/rate {RUN} up"]


async def test_guests_and_bots_are_known_by_slacks_word(slack: Slack) -> None:
    slack.server.people[USER] = {"is_restricted": True, "profile": {"display_name": "ann"}}
    slack.server.people["U0ROBOT"] = {"is_bot": True}
    assert await slack.post(mention("hi")) == 200
    assert await slack.post(mention("hi", user="U0ROBOT", ts="3.3")) == 200
    (heard,) = slack.inbox.messages
    assert heard.sender.is_guest and heard.sender.name == "ann"


async def test_a_sign_of_life_shows_and_a_command_needs_none(slack: Slack) -> None:
    assert await slack.post(mention("think")) == 200
    await slack.server.until(lambda: bool(slack.server.statuses))
    assert slack.server.statuses[0]["thread_ts"] == TS
    assert await slack.post(said("hello", channel=DM, ts="4.4")) == 200
    await slack.server.until(lambda: (DM, "4.4", "eyes") in slack.server.reactions)
    assert await slack.post(said("!metrics", channel=DM, ts="5.5")) == 200
    assert "ts" not in slack.inbox.messages[-1].address


async def test_slack_being_down_at_the_start_ends_nothing(clock: HeldClock) -> None:
    server, inbox, log = SlackServer(), RecordingInbox(), Lines()
    await server.start()
    await server.stop()
    channel, _ = build(server, inbox, clock, log)
    await channel.start()
    async with web(channel) as http:
        slack = Slack(server, inbox, clock, log, set(), channel, http)
        assert await slack.post(mention("early")) == 503
        await server.start()
        await slack.envelope(mention("early"))
        assert await slack.post(mention("late", ts="8.8")) == 200
    assert inbox.texts == ["early", "late"]
    assert "slack_not_reached" in log.events()
    await channel.stop()
    await server.stop()


async def test_a_lost_connection_is_made_again(slack: Slack) -> None:
    await slack.server.connected()
    await slack.server.hang_up()
    await slack.envelope(mention("after the break"))
    await slack.server.frame('{"type":"disconnect","reason":"refresh_requested"}')
    asked = [method for method, _ in slack.server.calls].count("apps.connections.open")
    await slack.server.until(
        lambda: [m for m, _ in slack.server.calls].count("apps.connections.open") > asked
    )
    assert slack.inbox.texts == ["after the break"]


async def test_connections_that_worked_are_made_again_at_once(slack: Slack) -> None:
    for number in range(5):
        await slack.server.hang_up()
        await slack.envelope(mention("after the break", ts=f"9.{number}"))
    pauses = {m["again_in_s"] for _, e, m in slack.log.lines if e == "slack_socket_lost"}
    assert pauses == {0.01}


async def test_a_rejected_token_is_named_and_the_process_lives(
    server: SlackServer, clock: HeldClock
) -> None:
    log = Lines()
    channel, _ = build(server, RecordingInbox(), clock, log, bot_token="xoxb-wrong")
    await channel.start()
    async with web(channel) as http:
        slack = Slack(server, RecordingInbox(), clock, log, set(), channel, http)
        assert await slack.post(mention("hi")) == 503
    level, _, more = next(line for line in log.lines if line[1] == "slack_token_rejected")
    assert level == "error" and "SLACK_BOT_TOKEN" in more["do"]
    assert "SLACK_BOT_TOKEN" in channel.summary and "xoxb-wrong" not in str(log.lines)
    await channel.stop()


async def test_a_rejected_app_token_leaves_http_working(
    server: SlackServer, clock: HeldClock
) -> None:
    log, inbox = Lines(), RecordingInbox()
    channel, _ = build(server, inbox, clock, log, app_token="xapp-wrong")
    await channel.start()
    await server.until(lambda: "apps.connections.open" in dict(server.calls))
    async with web(channel) as http:
        slack = Slack(server, inbox, clock, log, set(), channel, http)
        assert await slack.post(mention("hi")) == 200
    await channel.stop()
    assert "slack_app_token_rejected" in log.events()
    assert "SLACK_APP_TOKEN" in str(log.lines)
