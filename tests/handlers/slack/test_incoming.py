"""Events and slash commands as messages, without any network."""

import pytest

from bot.model.file import FileRef
from handlers.slack.incoming import Me, from_event, from_slash, from_stop, team_of
from handlers.slack.readable import as_command, readable
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
    said,
    slash,
)
from tests.handlers.slack.conftest import COMMANDS

ME = Me(BOT, BOT_ID, TEAM)
NOW = 1_780_000_060_000


def test_a_mention_opens_a_thread() -> None:
    heard = from_event(mention("what is &lt;new&gt; &amp; good?"), ME, COMMANDS, NOW)
    assert heard is not None and heard.addressed
    message = heard.message
    assert message.text == "what is <new> & good?"
    assert message.workspace == "local"
    assert message.conversation == f"slack:{CHANNEL}:{TS}"
    assert message.event_id == f"msg:{CHANNEL}:{TS}"
    assert message.sender.external_id == USER
    assert message.sent_at == 1780000000000
    assert message.address == {"channel": CHANNEL, "thread_ts": TS, "user": USER, "ts": TS}


def test_the_same_message_as_mention_and_as_message_is_one() -> None:
    as_mention = from_event(mention("hello"), ME, COMMANDS, NOW)
    as_message = from_event(said(f"<@{BOT}> hello"), ME, COMMANDS, NOW)
    assert as_mention == as_message is not None


def test_a_direct_message_continues_one_conversation() -> None:
    heard = from_event(said("hi", channel=DM), ME, COMMANDS, NOW)
    assert heard is not None and heard.addressed
    assert heard.message.conversation == f"slack:{DM}"
    assert "thread_ts" not in heard.message.address
    threaded = from_event(said("hi", channel=DM, ts="9.9", thread_ts="1.1"), ME, COMMANDS, NOW)
    assert threaded is not None and threaded.message.conversation == f"slack:{DM}:1.1"


def test_a_thread_reply_counts_only_where_the_bot_takes_part() -> None:
    heard = from_event(said("and tomorrow?", ts="9.9", thread_ts=TS), ME, COMMANDS, NOW)
    assert heard is not None and not heard.addressed
    assert heard.message.conversation == f"slack:{CHANNEL}:{TS}"
    assert from_event(said("not for you"), ME, COMMANDS, NOW) is None


@pytest.mark.parametrize(("above", "addressed"), [(ME.user_id, True), ("U0SECOND", False)])
def test_below_a_message_of_the_bots_it_is_addressed(above: str, addressed: bool) -> None:
    body = said("why is that?", ts="9.9", thread_ts=TS, parent_user_id=above)
    heard = from_event(body, ME, COMMANDS, NOW)
    assert heard is not None and heard.addressed is addressed


def test_a_marked_command_needs_no_mention() -> None:
    heard = from_event(said("!save_workflow weekly"), ME, COMMANDS, NOW)
    assert heard is not None and heard.addressed
    assert heard.message.text == "/save-workflow weekly"
    assert from_event(said("!roll 2d6"), ME, COMMANDS, NOW) is None


@pytest.mark.parametrize(
    "more",
    [
        {"subtype": "message_changed"},
        {"subtype": "message_deleted"},
        {"subtype": "bot_message"},
        {"subtype": "channel_join"},
        {"bot_id": "B0OTHER"},
        {"user": BOT},
        {"user": None},
        {"user": "USLACKBOT"},
        {"hidden": True},
        {"ts": None},
        {"ts": 17.5},
        {"channel": ["C1"]},
    ],
)
def test_what_no_person_said_is_not_heard(more: dict[str, object]) -> None:
    inner = {"type": "message", "channel": DM, "user": USER, "ts": TS, "text": "hi"}
    assert from_event(event({**inner, **more}), ME, COMMANDS, NOW) is None


@pytest.mark.parametrize("subtype", ["file_share", "thread_broadcast"])
def test_some_subtypes_are_said_by_people(subtype: str) -> None:
    assert from_event(said("look", channel=DM, subtype=subtype), ME, COMMANDS, NOW) is not None


def test_a_mention_alone_asks_for_help() -> None:
    heard = from_event(mention(""), ME, COMMANDS, NOW)
    assert heard is not None and heard.message.text == "/help"


def test_a_file_without_words_is_for_nobody() -> None:
    assert from_event(said("", subtype="file_share"), ME, COMMANDS, NOW) is None
    assert from_event(said("", subtype="file_share", thread_ts=TS), ME, COMMANDS, NOW) is None


def test_files_come_with_their_message() -> None:
    file = {
        "id": "F1",
        "name": "table.csv",
        "mimetype": "text/csv",
        "size": 12,
        "url_private": "https://files.slack.com/files-pri/T-F1/table.csv",
        "url_private_download": "https://files.slack.com/files-pri/T-F1/download/table.csv",
    }
    foreign = {"id": "F2", "mode": "file_access", "file_access": "check_file_info"}
    useless = [{"id": "F3", "mode": "tombstone"}, {}, "x", None]
    heard = from_event(
        said("sum it up", channel=DM, subtype="file_share", files=[file, foreign, *useless]),
        ME,
        COMMANDS,
        NOW,
    )
    assert heard is not None and heard.message.text == "sum it up"
    url = str(file["url_private_download"])
    assert heard.message.files == (
        FileRef("table.csv", "text/csv", 12, {"url": url, "id": "F1"}),
        FileRef("file", "", 0, {"id": "F2"}),
    )


def test_a_file_alone_is_a_request_without_words() -> None:
    files = [{"id": "F1", "name": "photo.png", "url_private": "https://files.slack.com/x"}]
    alone = from_event(said("", channel=DM, subtype="file_share", files=files), ME, COMMANDS, NOW)
    assert alone is not None and alone.message.text == "" and alone.message.address["ts"]
    mentioned = from_event(mention("", files=files), ME, COMMANDS, NOW)
    assert mentioned is not None and mentioned.message.text == "" and mentioned.addressed
    reply = said("", subtype="file_share", files=files, thread_ts=TS)
    thread = from_event(reply, ME, COMMANDS, NOW)
    assert thread is not None and not thread.addressed
    elsewhere = said("", subtype="file_share", files=files)
    assert from_event(elsewhere, ME, COMMANDS, NOW) is None


@pytest.mark.parametrize("files", ["x", {"id": "F1"}, [{"id": 7, "size": "big"}], [[]], 5])
def test_odd_lists_of_files_harm_nobody(files: object) -> None:
    heard = from_event(said("hi", channel=DM, files=files), ME, COMMANDS, NOW)
    assert heard is not None and heard.message.files == ()


def test_a_message_belongs_to_the_workspace_of_the_team_it_is_for() -> None:
    other = Me(BOT, BOT_ID, "T0OTHER", "slack:T0OTHER")
    heard = from_event(mention("hi"), other, COMMANDS, NOW)
    assert heard is not None and heard.message.workspace == "slack:T0OTHER"


@pytest.mark.parametrize(
    ("body", "team"),
    [
        ({"authorizations": [{"team_id": "T1"}], "context_team_id": "T2", "team_id": "T3"}, "T1"),
        ({"authorizations": [{"team_id": None}], "context_team_id": "T2", "team_id": "T3"}, "T2"),
        ({"authorizations": [], "team_id": "T3"}, "T3"),
        ({"team": {"id": "T1"}, "user": {"id": "U1", "team_id": "T2"}}, "T1"),
        ({"team": None, "view": {"app_installed_team_id": "T1"}, "user": {"team_id": "T2"}}, "T1"),
        ({"team": None, "user": {"id": "U1", "team_id": "T2"}}, "T2"),
        ({"team_id": 7, "authorizations": "x", "team": [1], "user": "U1"}, ""),
    ],
)
def test_a_delivery_is_for_the_team_that_installed_the_app(body: Payload, team: str) -> None:
    assert team_of(body) == team


@pytest.mark.parametrize("sign", ["bot_id", "bot_profile", "app_id", "workflow_id", "hidden"])
def test_no_bot_is_ever_heard(sign: str) -> None:
    assert from_event(mention("hi", **{sign: "X1"}), ME, COMMANDS, NOW) is None
    assert from_event(said("hi", channel=DM, **{sign: "X1"}), ME, COMMANDS, NOW) is None


@pytest.mark.parametrize("subtype", ["bot_message", "message_changed", "channel_join", "tombstone"])
def test_what_no_person_wrote_is_not_heard(subtype: str) -> None:
    assert from_event(said("hi", channel=DM, subtype=subtype), ME, COMMANDS, NOW) is None


def test_slash_commands_may_carry_a_prefix() -> None:
    for word in ("/rt-better", "/better"):
        message = from_slash(slash(word, "say euros"), ME, COMMANDS, "d", "rt")
        assert message is not None and message.text == "/better say euros"


def test_a_stranger_in_a_shared_channel_is_a_guest() -> None:
    heard = from_event(mention("hi", user_team="T0OTHER"), ME, COMMANDS, NOW)
    assert heard is not None and heard.message.sender.is_guest
    heard = from_event(mention("hi", user_team=TEAM), ME, COMMANDS, NOW)
    assert heard is not None and not heard.message.sender.is_guest


@pytest.mark.parametrize("ts", ["x", "1e999", "nan", "1700000000.000100", "1880000000.000100"])
def test_a_strange_ts_gives_no_time(ts: str) -> None:
    heard = from_event(mention("hi", ts=ts), ME, COMMANDS, NOW)
    assert heard is not None and heard.message.sent_at is None


@pytest.mark.parametrize(
    ("said_text", "text"),
    [
        ("better say euros", "/better say euros"),
        ("approve P12", "/approve P12"),
        ("decline P12 too vague", "/decline P12 too vague"),
        ("help", "/help"),
        ("help metrics", "/help metrics"),
        ("save_workflow weekly report", "/save-workflow weekly report"),
        ("why 01890abc", "/why 01890abc"),
        ("why did sales drop?", "why did sales drop?"),
        ("run the numbers again", "run the numbers again"),
        ("help me write a mail", "help me write a mail"),
        ("stop", "/stop"),
        ("stop using commas", "stop using commas"),
        ("!forget m1", "/forget m1"),
        ("/metrics 7", "/metrics 7"),
        ("!unknown", "!unknown"),
        ("approve of this", "approve of this"),
        ("better", "/better"),
        ("metrics writer 30 share", "/metrics writer 30 share"),
        ("metrics of our last quarter", "metrics of our last quarter"),
        ("digest weekly on friday at 16 here", "/digest weekly on friday at 16 here"),
        ("digest daily, zone Europe/Berlin", "/digest daily, zone Europe/Berlin"),
        ("digest this article for me", "digest this article for me"),
        ("digest daily news for me", "digest daily news for me"),
    ],
)
def test_after_a_mention_only_the_forms_of_commands_are_commands(said_text: str, text: str) -> None:
    heard = from_event(mention(said_text), ME, COMMANDS, NOW)
    assert heard is not None and heard.message.text == text


def test_bare_words_are_commands_only_after_a_mention() -> None:
    heard = from_event(said("better late than never", channel=DM), ME, COMMANDS, NOW)
    assert heard is not None and heard.message.text == "better late than never"
    assert as_command("stop", COMMANDS) == "stop"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("<@U1|ann> and <@U2>", "@ann and @U2"),
        ("<#C1|general> <#C2>", "#general #C2"),
        ("<!here> <!subteam^S1|@team> <!date^1^{date}|Monday>", "@here @team Monday"),
        ("<https://a.example/x?a=1&amp;b=2>", "https://a.example/x?a=1&b=2"),
        ("<https://a.example|a.example>", "https://a.example"),
        ("<https://a.example|the site>", "the site (https://a.example)"),
        ("<mailto:a@b.example|a@b.example>", "a@b.example"),
        ("&amp;lt; stays", "&lt; stays"),
        ("a < b > c", "a < b > c"),
        ("سلام 👩‍👩‍👧 \u0000", "سلام 👩‍👩‍👧 \u0000"),
    ],
)
def test_slack_markup_becomes_text(raw: str, text: str) -> None:
    assert readable(raw) == text


def test_a_slash_command() -> None:
    body = slash("/better", "say &lt;b&gt;", response_url="http://127.0.0.1/r")
    message = from_slash(body, ME, COMMANDS, "delivery")
    assert message is not None
    assert message.text == "/better say <b>"
    assert message.event_id == f"cmd:{body['trigger_id']}"
    assert message.conversation == f"slack:{CHANNEL}"
    assert message.address["response_url"] == "http://127.0.0.1/r"


def test_a_slash_command_with_fields_missing() -> None:
    body = slash("/metrics")
    del body["trigger_id"], body["text"], body["team_id"]
    message = from_slash(body, ME, COMMANDS, "delivery")
    assert message is not None and message.event_id == "cmd:delivery"
    assert message.text == "/metrics" and message.workspace == "local"
    assert from_slash({"command": "/metrics"}, ME, COMMANDS, "delivery") is None


def test_the_apps_own_word_may_stand_before_a_command() -> None:
    message = from_slash(slash("/ratchet", "metrics 7"), ME, COMMANDS, "d")
    assert message is not None and message.text == "/metrics 7"


def test_slacks_stop_button_says_stop() -> None:
    inner = {"type": "agent_session_stopped", "channel": DM, "user": USER, "thread_ts": TS}
    message = from_stop(event(inner), ME)
    assert message is not None and message.text == "/stop"
    assert message.conversation == f"slack:{DM}:{TS}"
    assert from_stop(event({"type": "agent_session_stopped"}), ME) is None
