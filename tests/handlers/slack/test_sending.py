"""Replies on their way: shown once, found again, said why where not."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from bot.errors import ChannelError, ChannelUnavailable, DeliveryUnclear
from bot.model.codec import reply_to_json
from bot.model.delivery import Delivery
from bot.model.file import Attached
from bot.model.message import Button, Card, Picture, Reply
from tests.fakes.slack_payloads import CHANNEL, DM, TS, USER, mention, press, reaction, said
from tests.fakes.slack_server import element
from tests.handlers.slack.conftest import Slack

RUN = "01890abc-0000-7000-8000-000000000001"
THREAD = {"channel": CHANNEL, "thread_ts": TS, "user": USER}
ANSWER = Reply("**42**", run_id=RUN, rateable=True, footer="0.1 ct")
LONG = Reply("\n\n".join(f"Paragraph {n}. " + "word " * 100 for n in range(50)), run_id=RUN)


def delivery(reply: Reply, address: Mapping[str, object] = THREAD, **more: Any) -> Delivery:
    made = Delivery("d1", "local", RUN, "slack", address, reply_to_json(reply), attempts=1)
    return replace(made, **more)


async def test_an_answer_in_its_thread_with_the_run_in_its_metadata(slack: Slack) -> None:
    ref = await slack.channel.send(delivery(ANSWER))
    (shown,) = slack.server.messages
    assert ref == {"channel": CHANNEL, "ts": shown["ts"], "parts": [shown["ts"]]}
    assert shown["thread_ts"] == TS and shown["text"] == "*42*"
    payload = {"run_id": RUN, "delivery": "d1", "part": 0}
    assert shown["metadata"] == {"event_type": "ratchet_run", "event_payload": payload}
    assert await slack.channel.find(delivery(ANSWER)) == ref


async def test_nothing_to_say_is_not_sent(slack: Slack) -> None:
    assert await slack.channel.send(delivery(Reply(""))) == {}
    assert slack.server.messages == []


async def test_a_long_answer_is_several_messages_shown_once_each(slack: Slack) -> None:
    slack.server.fail("chat.postMessage", "drop_after")
    with pytest.raises(DeliveryUnclear):
        await slack.channel.send(delivery(LONG))
    assert len(slack.server.messages) == 1
    assert await slack.channel.find(delivery(LONG)) is None
    ref = await slack.channel.send(delivery(LONG))
    parts = [m["metadata"]["event_payload"]["part"] for m in slack.server.messages]
    assert parts == list(range(len(parts))) and len(parts) > 2
    assert ref["parts"] == [m["ts"] for m in slack.server.messages]
    assert await slack.channel.find(delivery(LONG)) == ref


async def test_another_process_goes_on_with_the_missing_parts(slack: Slack) -> None:
    await slack.channel.send(delivery(LONG))
    whole = len(slack.server.messages)
    del slack.server.messages[-1]
    await slack.channel.send(delivery(LONG, attempts=2))
    assert len(slack.server.messages) == whole


@pytest.mark.parametrize("kind", ["500", "503", "drop", "drop_after", "internal_error"])
async def test_an_unclear_send_is_never_repeated_by_itself(slack: Slack, kind: str) -> None:
    slack.server.fail("chat.postMessage", kind)
    with pytest.raises(DeliveryUnclear):
        await slack.channel.send(delivery(ANSWER))
    posts = [method for method, _ in slack.server.calls if method == "chat.postMessage"]
    assert len(posts) == 1
    found = await slack.channel.find(delivery(ANSWER))
    assert (found is not None) == (kind == "drop_after")
    if found is None:
        await slack.channel.send(delivery(ANSWER))
    assert len(slack.server.messages) == 1


async def test_a_short_rate_limit_is_sat_out_and_a_long_one_goes_back(slack: Slack) -> None:
    slack.server.fail("chat.postMessage", "429", retry_after=0)
    await slack.channel.send(delivery(ANSWER))
    assert len(slack.server.messages) == 1
    slack.server.fail("chat.postMessage", "429", retry_after=30)
    with pytest.raises(ChannelUnavailable) as caught:
        await slack.channel.send(delivery(ANSWER))
    assert caught.value.retry_after == 30 and len(slack.server.messages) == 1


@pytest.mark.parametrize(
    "code", ["channel_not_found", "not_in_channel", "invalid_auth", "restricted_action", "new_code"]
)
async def test_a_refusal_is_final_and_names_its_cause(slack: Slack, code: str) -> None:
    slack.server.fail("chat.postMessage", code)
    with pytest.raises(ChannelError, match=code) as caught:
        await slack.channel.send(delivery(ANSWER))
    assert not caught.value.retry


async def test_slack_gone_means_certainly_not_shown(slack: Slack) -> None:
    await slack.server.stop()
    with pytest.raises(ChannelUnavailable):
        await slack.channel.send(delivery(ANSWER))
    with pytest.raises(ChannelUnavailable):
        await slack.channel.find(delivery(ANSWER))


@pytest.mark.parametrize("kind", ["429", "internal_error"])
async def test_while_slack_cannot_be_asked_it_is_asked_again(slack: Slack, kind: str) -> None:
    slack.server.fail("conversations.replies", kind, retry_after=60)
    with pytest.raises(ChannelUnavailable):
        await slack.channel.find(delivery(ANSWER))


async def test_where_slack_lets_nobody_look_it_stays_unclear(slack: Slack) -> None:
    slack.server.fail("conversations.replies", "missing_scope")
    with pytest.raises(DeliveryUnclear):
        await slack.channel.find(delivery(ANSWER))


async def test_it_is_found_on_a_later_page_and_outside_threads(slack: Slack) -> None:
    await slack.channel.send(delivery(ANSWER, {"channel": CHANNEL}))
    mine = slack.server.messages[0]
    for number in range(1_200):
        slack.server.messages.append(
            {"channel": CHANNEL, "ts": f"1780000900.{number:06d}", "text": "x"}
        )
    found = await slack.channel.find(delivery(ANSWER, {"channel": CHANNEL}))
    assert found is not None and found["ts"] == mine["ts"]
    other = delivery(ANSWER, {"channel": CHANNEL}, id="d2")
    assert await slack.channel.find(other) is None


async def test_it_is_found_where_a_server_forgets_metadata(slack: Slack) -> None:
    slack.server.forgets_metadata = True
    ref = await slack.channel.send(delivery(LONG))
    assert len(slack.server.messages) > 1
    assert await slack.channel.find(delivery(LONG)) == ref
    assert await slack.channel.find(delivery(LONG, id="d2")) is None
    assert await slack.post(reaction("+1", slack.server.messages[0]["ts"])) == 200
    assert slack.inbox.texts == [f"/rate {RUN} up"]


async def test_a_person_is_reached_by_direct_message(slack: Slack) -> None:
    to = {"channel": USER}
    ref = await slack.channel.send(delivery(ANSWER, to))
    assert ref["channel"] == "D0MEMBER"
    assert await slack.channel.find(delivery(ANSWER, to)) == ref


async def test_older_servers_get_plain_blocks_and_then_text(slack: Slack) -> None:
    slack.server.rich = False
    await slack.channel.send(delivery(ANSWER))
    kinds = [block["type"] for block in slack.server.messages[0]["blocks"]]
    assert kinds == ["section", "actions", "context"]
    assert element(slack.server.messages[0], "👍")["value"] == f"/rate {RUN} up"
    slack.server.fail("chat.postMessage", "invalid_blocks", times=2)
    buttons = (Button("Approve", "/approve P12"),)
    await slack.channel.send(delivery(Reply("Look", buttons=buttons), id="d2"))
    assert "blocks" not in slack.server.messages[1]
    assert "!approve P12" in slack.server.messages[1]["text"]


async def test_what_is_too_long_with_blocks_is_shown_as_text(slack: Slack) -> None:
    slack.server.fail("chat.postMessage", "msg_too_long", times=2)
    await slack.channel.send(delivery(ANSWER))
    (message,) = slack.server.messages
    assert "blocks" not in message and message["text"]


async def test_a_card_is_replaced_in_place(slack: Slack) -> None:
    card = Card("P12: say euros", "Because.", diff="-$\n+€", ref="P12")
    buttons = (Button("Approve", "/approve P12", "primary"), Button("Decline", "/decline P12"))
    offered = Reply("", card=card, buttons=buttons)
    ref = await slack.channel.send(delivery(offered, {"channel": CHANNEL}))
    (shown,) = slack.server.messages
    assert await slack.post(press(element(shown, "Approve"), shown)) == 200
    assert slack.inbox.texts == ["/approve P12"]
    decided = Reply("", card=replace(card, status="Approved by ann"))
    slack.server.fail("chat.update", "500")
    done = delivery(decided, {"channel": CHANNEL}, edits=ref, id="d2")
    assert await slack.channel.send(done) == ref
    (shown,) = slack.server.messages
    assert "Approved by ann" in str(shown["blocks"]) and "actions" not in str(shown["blocks"])


@pytest.mark.parametrize("rich", [True, False])
async def test_an_update_says_all_within_the_limits_and_takes_the_buttons(
    slack: Slack, rich: bool
) -> None:
    slack.server.rich = rich
    card = Card("P12: say euros", "Because.", diff="-$\n+€", ref="P12")
    offered = Reply("", card=card, buttons=(Button("Approve", "/approve P12", "primary"),))
    ref = await slack.channel.send(delivery(offered, {"channel": CHANNEL}))
    longer = replace(card, body="word " * 4_000, diff="+x <&>\n" * 3_000, status="Approved by ann")
    edited = delivery(Reply("", card=longer), {"channel": CHANNEL}, edits=ref, id="d2")
    assert (await slack.channel.send(edited))["ts"] == ref["ts"]
    (shown,) = slack.server.messages
    assert "Approved by ann" in str(shown["blocks"]) and "actions" not in str(shown["blocks"])


async def test_an_update_of_words_alone_leaves_no_buttons_behind(slack: Slack) -> None:
    card = Card("P12: say euros", "Because.", ref="P12")
    offered = Reply("", card=card, buttons=(Button("Approve", "/approve P12"),))
    ref = await slack.channel.send(delivery(offered, {"channel": CHANNEL}))
    slack.server.fail("chat.update", "invalid_blocks", times=2)
    decided = Reply("", card=replace(card, status="Declined by ann"))
    await slack.channel.send(delivery(decided, {"channel": CHANNEL}, edits=ref, id="d2"))
    (shown,) = slack.server.messages
    assert shown["blocks"] == [] and "Declined by ann" in shown["text"]


async def test_an_unclear_edit_may_simply_be_repeated(slack: Slack) -> None:
    ref = await slack.channel.send(delivery(LONG))
    before = len(slack.server.messages)
    short = delivery(Reply("gone"), edits=ref, id="d2")
    slack.server.fail("chat.update", "internal_error", times=9)
    with pytest.raises(ChannelUnavailable):
        await slack.channel.send(short)
    slack.server.faults.clear()
    assert (await slack.channel.send(short))["parts"] == [slack.server.messages[0]["ts"]]
    assert len(slack.server.messages) == 1 < before
    assert await slack.channel.find(short) is None


async def test_an_edit_of_what_is_gone_is_final(slack: Slack) -> None:
    for edits in ({"channel": CHANNEL, "ts": "9.9"}, {"channel": CHANNEL, "ephemeral": True}):
        with pytest.raises(ChannelError) as caught:
            await slack.channel.send(delivery(ANSWER, edits=edits))
        assert not caught.value.retry


async def test_a_private_reply_is_seen_by_one(slack: Slack) -> None:
    private = Reply("Your budget", private=True)
    assert (await slack.channel.send(delivery(private)))["ephemeral"]
    assert slack.server.ephemerals[0]["user"] == USER and slack.server.messages == []
    with pytest.raises(DeliveryUnclear):
        await slack.channel.find(delivery(private))
    await slack.channel.send(delivery(private, {"channel": DM, "user": USER}))
    assert slack.server.messages[0]["channel"] == DM
    elsewhere = {"channel": "C0OTHER", "user": USER}
    await slack.channel.send(delivery(private, elsewhere))
    assert slack.server.messages[1]["channel"] == "D0MEMBER"


async def test_a_command_is_answered_where_the_bot_is_no_member(slack: Slack) -> None:
    url = slack.server.url.replace("/api/", "/respond")
    to = {"channel": "C0OTHER", "user": USER, "response_url": url}
    await slack.channel.send(delivery(Reply("Done"), to))
    await slack.channel.send(delivery(Reply("Only you", private=True), to))
    kinds = [answer["response_type"] for answer in slack.server.responses]
    assert kinds == ["in_channel", "ephemeral"] and slack.server.messages == []


async def test_where_the_bot_is_no_member_the_picture_goes_to_the_person(slack: Slack) -> None:
    url = slack.server.url.replace("/api/", "/respond")
    to = {"channel": "C0OTHER", "user": USER, "response_url": url}
    private = Reply("Your week", private=True, picture=Picture(b"\x89PNG", "A rising line"))
    await slack.channel.send(delivery(private, to))
    assert [share["channel"] for share in slack.server.shares] == ["D0MEMBER"]
    told = [(answer["response_type"], answer["text"]) for answer in slack.server.responses]
    assert told == [
        ("ephemeral", "Your week"),
        ("ephemeral", "What belongs to it is in our direct messages."),
    ]


async def test_a_picture_follows_its_text(slack: Slack) -> None:
    reply = Reply("Numbers", picture=Picture(b"\x89PNG\r\n", "A rising line"))
    ref = await slack.channel.send(delivery(reply))
    assert slack.server.files[0]["channel_id"] == CHANNEL
    assert slack.server.files[0]["thread_ts"] == TS
    assert await slack.channel.find(delivery(reply)) == ref


async def test_a_picture_that_slack_refuses_is_told_in_words(slack: Slack) -> None:
    reply = Reply("Numbers", picture=Picture(b"\x89PNG\r\n", "A rising line"))
    slack.server.fail("files.getUploadURLExternal", "missing_scope")
    await slack.channel.send(delivery(reply))
    assert [m["text"] for m in slack.server.messages] == [
        "Numbers",
        "I couldn't show this here: A rising line.",
    ]
    assert "slack_file_not_shown" in slack.log.events()
    assert await slack.channel.find(delivery(reply)) is not None


@pytest.mark.parametrize("kind", ["drop_after", "500", "429"])
async def test_a_picture_is_shown_once_however_its_upload_ends(slack: Slack, kind: str) -> None:
    reply = Reply("Numbers", picture=Picture(b"\x89PNG\r\n", "A rising line"))
    slack.server.fail("files.completeUploadExternal", kind, retry_after=9)
    with pytest.raises(ChannelUnavailable):
        await slack.channel.send(delivery(reply))
    await slack.channel.send(delivery(reply, attempts=2))
    assert len(slack.server.messages) == 1 and len(slack.server.shares) == 1


async def test_a_picture_that_never_comes_holds_nothing_up(slack: Slack) -> None:
    reply = Reply("Numbers", picture=Picture(b"\x89PNG\r\n", "A rising line"))
    slack.server.fail("upload", "503", times=99)
    for attempt in (1, 2, 3):
        with pytest.raises(ChannelUnavailable):
            await slack.channel.send(delivery(reply, attempts=attempt))
    await slack.channel.send(delivery(reply, attempts=4))
    assert [m["text"] for m in slack.server.messages] == [
        "Numbers",
        "I couldn't show this here: A rising line.",
    ]


async def test_a_made_file_comes_as_an_upload(slack: Slack) -> None:
    slack.live.files["f1"] = b"a,b\n1,2\n"
    made = (Attached("f1", "table.csv", "text/csv", 8), Attached("f2", "old.csv"))
    ref = await slack.channel.send(delivery(Reply("Here it is", files=made)))
    (share,) = slack.server.shares
    assert (share["channel"], share["thread_ts"]) == (CHANNEL, TS)
    (file,) = slack.server.store.held.values()
    assert (file.name, file.content) == ("table.csv", b"a,b\n1,2\n")
    assert "I couldn't show this here: old.csv." in slack.server.messages[1]["text"]
    found = await slack.channel.find(delivery(Reply("Here it is", files=made)))
    assert found is not None and found["ts"] == ref["ts"]


async def test_after_a_kill_before_the_file_only_the_file_is_sent(slack: Slack) -> None:
    slack.live.files["f1"] = b"x"
    made = delivery(Reply("Here it is", files=(Attached("f1", "a.txt"),)))
    await slack.channel.send(made)
    slack.server.shares.clear()
    assert await slack.channel.find(made) is None
    await slack.channel.send(replace(made, attempts=2))
    assert len(slack.server.messages) == len(slack.server.shares) == 1


async def test_a_long_private_reply_goes_on_after_a_pause(slack: Slack) -> None:
    private = replace(LONG, private=True)
    slack.server.trouble.add("Paragraph 30.", "429", retry_after=30)
    with pytest.raises(ChannelUnavailable) as caught:
        await slack.channel.send(delivery(private))
    assert caught.value.retry_after == 30 and len(slack.server.ephemerals) > 0
    await slack.channel.send(delivery(private, attempts=2))
    told = "".join(e["text"] for e in slack.server.ephemerals)
    assert [told.count(f"Paragraph {n}. ") for n in range(50)] == [1] * 50


async def test_a_private_picture_is_seen_by_one(slack: Slack) -> None:
    slack.server.store.processing = 1
    private = Reply("Your week", private=True, picture=Picture(b"\x89PNG", "A rising line"))
    assert (await slack.channel.send(delivery(private)))["ephemeral"]
    words, shown = slack.server.ephemerals
    assert words["text"] == "Your week" and shown["user"] == USER
    (image,) = shown["blocks"]
    assert image["type"] == "image" and image["alt_text"] == "A rising line"
    (file,) = slack.server.store.held.values()
    assert image["slack_file"]["id"] == file.id and file.shared == ""
    assert slack.server.shares == [] and slack.server.messages == []


async def test_a_private_picture_goes_to_the_person_where_it_cannot_be_whispered(
    slack: Slack,
) -> None:
    slack.server.store.processing = 99
    private = Reply("Your week", private=True, picture=Picture(b"\x89PNG", "A rising line"))
    await slack.channel.send(delivery(private))
    assert [share["channel"] for share in slack.server.shares] == ["D0MEMBER"]
    assert "direct messages" in slack.server.ephemerals[-1]["text"]
    assert {e["user"] for e in slack.server.ephemerals} == {USER}


async def test_a_private_picture_that_goes_nowhere_is_told(slack: Slack) -> None:
    slack.server.fail("files.getUploadURLExternal", "missing_scope", times=9)
    private = Reply("Your week", private=True, picture=Picture(b"\x89PNG", "A rising line"))
    await slack.channel.send(delivery(private))
    told = [e["text"] for e in slack.server.ephemerals]
    assert told == ["Your week", "I couldn't show this here: A rising line."]
    assert slack.server.shares == []


async def test_the_eyes_go_once_it_is_answered(slack: Slack) -> None:
    assert await slack.post(said("hello", channel=DM, ts="4.4")) == 200
    await slack.server.until(lambda: bool(slack.server.reactions))
    await slack.channel.send(delivery(ANSWER, slack.inbox.messages[0].address))
    await slack.server.until(lambda: not slack.server.reactions)


async def test_eyes_stand_in_where_there_is_no_status_line(slack: Slack) -> None:
    slack.server.fail("assistant.threads.setStatus", "unknown_method", times=9)
    assert await slack.post(mention("hello")) == 200
    await slack.server.until(lambda: (CHANNEL, TS, "eyes") in slack.server.reactions)
    assert await slack.post(mention("again", ts="1780000050.000100")) == 200
    await slack.server.until(lambda: len(slack.server.reactions) == 2)
    asked = [method for method, _ in slack.server.calls if method.endswith("setStatus")]
    assert len(asked) == 1
    for message in slack.inbox.messages:
        await slack.channel.send(delivery(ANSWER, message.address))
    await slack.server.until(lambda: not slack.server.reactions)


async def test_a_status_line_tells_what_goes_on_and_goes(slack: Slack) -> None:
    assert await slack.post(mention("hello")) == 200
    await slack.server.until(lambda: len(slack.server.statuses) == 1)
    (status,) = slack.server.statuses
    assert status["status"] and 1 <= len(status["loading_messages"]) <= 10
    await slack.channel.send(delivery(ANSWER, slack.inbox.messages[0].address))
    await slack.server.until(lambda: len(slack.server.statuses) == 2)
    assert slack.server.statuses[1]["status"] == "" and slack.server.reactions == set()


@pytest.mark.parametrize("there", ["status", "eyes"])
async def test_no_sign_of_life_outlives_an_answer_that_cannot_be_given(
    slack: Slack, there: str
) -> None:
    if there == "eyes":
        slack.server.fail("assistant.threads.setStatus", "missing_scope")
    assert await slack.post(mention("hello")) == 200
    await slack.server.until(lambda: bool(slack.server.reactions or slack.server.statuses))
    address = slack.inbox.messages[0].address
    slack.server.fail("chat.postMessage", "429", retry_after=30)
    with pytest.raises(ChannelUnavailable):
        await slack.channel.send(delivery(ANSWER, address))
    assert slack.server.reactions or slack.server.statuses[-1]["status"]
    slack.server.fail("chat.postMessage", "is_archived")
    with pytest.raises(ChannelError):
        await slack.channel.send(delivery(ANSWER, address, attempts=2))
    await slack.server.until(
        lambda: not (slack.server.reactions or any(s["status"] for s in slack.server.statuses[-1:]))
    )


async def test_a_reply_without_an_address_is_final(slack: Slack) -> None:
    with pytest.raises(ChannelError, match="no channel"):
        await slack.channel.send(delivery(ANSWER, {}))


async def test_html_in_place_of_json_is_unclear(slack: Slack) -> None:
    slack.server.fail("chat.postMessage", "html")
    with pytest.raises(DeliveryUnclear):
        await slack.channel.send(delivery(ANSWER))
