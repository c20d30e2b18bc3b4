"""Answers that grow in Slack: what people see meanwhile, and the one answer at the end."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from bot.errors import ChannelUnavailable
from bot.model.codec import reply_to_json
from bot.model.delivery import Delivery
from bot.model.message import Reply
from bot.model.run import Run, RunKind, RunStatus
from bot.ports.channels import Event
from tests.fakes.inbox import RecordingInbox
from tests.fakes.slack_payloads import CHANNEL, DM, TEAM, TS, USER
from tests.handlers.slack.conftest import Kept, Lines, Slack, build

RUN = "01890abc-0000-7000-8000-000000000001"
THREAD = {"channel": CHANNEL, "thread_ts": TS, "user": USER, "ts": TS}
ANSWER = "The **answer** is\n\n42, as always."
FOOTER = "helper v3 · 1.2 s · $0.0004 · 00000001"


def run(address: Mapping[str, object] = THREAD, **more: Any) -> Run:
    made = Run(
        RUN,
        "local",
        RunKind.REQUEST,
        RunStatus.RUNNING,
        "slack",
        "e1",
        "c1",
        "p1",
        "what?",
        0,
        address=address,
    )
    return replace(made, **more)


def final(text: str = ANSWER, address: Mapping[str, object] = THREAD, **more: Any) -> Delivery:
    reply = Reply(text, RUN, rateable=True, footer=FOOTER)
    made = Delivery(RUN, "local", RUN, "slack", address, reply_to_json(reply), attempts=1)
    return replace(made, **more)


@dataclass
class Growth:
    """A run that goes on, as its channel hears of it."""

    slack: Slack
    number: int = 0

    def does(self, kind: str, name: str = "x") -> int:
        self.number += 1
        self._tell("doing", {"seq": self.number, "kind": kind, "name": name})
        return self.number

    def did(self, seq: int, kind: str, name: str = "x", error: str = "") -> None:
        told = {"seq": seq, "kind": kind, "name": name}
        self._tell("step", {**told, "duration_ms": 5.0, "error_type": error})

    def says(self, text: str) -> None:
        self._tell("delta", {"text": text})

    def _tell(self, kind: str, data: Mapping[str, object]) -> None:
        self.slack.live.events.publish(Event(RUN, kind, data))

    def calls(self, method: str) -> list[dict[str, Any]]:
        return [args for name, args in self.slack.server.calls if name == method]

    async def until(self, words: str) -> None:
        server = self.slack.server
        await server.until(lambda: any(words in _read(m) for m in server.messages))

    def only(self) -> dict[str, Any]:
        (message,) = self.slack.server.messages
        return message


def _read(message: Mapping[str, Any]) -> str:
    return str(message.get("blocks") or message.get("text"))


def _shape(message: Mapping[str, Any]) -> list[str]:
    return [block["type"] for block in message["blocks"]]


@pytest.fixture
async def growth(slack: Slack) -> Growth:
    slack.channel.follow(run())
    return Growth(slack)


async def another(slack: Slack) -> Slack:
    """The channel in a process that comes after: it knows what was kept."""
    channel, parts = build(
        slack.server,
        RecordingInbox(),
        slack.clock,
        Lines(),
        app_token=None,
        sources=slack.live.sources(),
        content=slack.live.content,
    )
    await channel.start()
    return replace(slack, channel=channel, parts=parts)


def check_answered(growth: Growth, text: str = "as always.") -> None:
    """One answer, exact, marked and rateable; nothing goes on."""
    message = growth.only()
    assert text in _read(message) and FOOTER in _read(message)
    assert message["metadata"]["event_payload"] == {"run_id": RUN, "delivery": RUN, "part": 0}
    assert message.get("streaming_state") in (None, "completed")
    assert "context_actions" in _shape(message)


async def test_steps_and_words_grow_into_the_answer(slack: Slack, growth: Growth) -> None:
    remembering = growth.does("recall", "memory")
    await growth.until("Looking at what is remembered")
    (begun,) = growth.calls("chat.startStream")
    assert (begun["recipient_user_id"], begun["recipient_team_id"]) == (USER, TEAM)
    growth.did(remembering, "recall", "memory")
    asking = growth.does("model", "gpt")
    growth.says("The **answer** ")
    await growth.until("The **answer**")
    growth.did(asking, "model", "gpt")
    using = growth.does("tool", "unit_converter")
    growth.did(using, "tool", "unit_converter", error="tool")
    again = growth.does("model", "gpt")
    growth.says("is\n\n42, as")
    await growth.until("Using unit converter")
    ref = await slack.channel.send(final())
    check_answered(growth)
    cards = growth.only()["blocks"][: again - remembering + 1]
    assert [(card["title"], card["status"]) for card in cards] == [
        ("Looking at what is remembered", "complete"),
        ("Asking the model", "complete"),
        ("Using unit converter", "error"),
        ("Asking the model", "complete"),
    ]
    assert _shape(growth.only())[4:] == ["markdown", "context_actions", "context"]
    assert growth.only()["blocks"][4]["text"] == ANSWER
    assert growth.calls("chat.update") == [] and len(growth.calls("chat.stopStream")) == 1
    assert await slack.channel.find(final()) == ref


async def test_a_quick_answer_is_one_post(slack: Slack, growth: Growth) -> None:
    await slack.channel.send(final())
    check_answered(growth)
    assert growth.calls("chat.startStream") == [] and slack.live.drafts.kept == {}


async def test_in_a_direct_message_nobody_needs_to_be_named(slack: Slack) -> None:
    there = {"channel": DM, "thread_ts": TS, "user": USER}
    slack.channel.follow(run(there))
    growth = Growth(slack)
    growth.does("model")
    await growth.until("Asking the model")
    assert "recipient_user_id" not in growth.calls("chat.startStream")[0]
    await slack.channel.send(final(address=there))
    check_answered(growth)


async def test_a_person_of_another_company_is_named_with_their_team(slack: Slack) -> None:
    slack.channel.follow(run({**THREAD, "team": "T0OTHER"}))
    growth = Growth(slack)
    growth.does("model")
    await growth.until("Asking the model")
    assert growth.calls("chat.startStream")[0]["recipient_team_id"] == "T0OTHER"


@pytest.mark.parametrize(
    "code", ["unknown_method", "missing_scope", "http 404", "feature_not_enabled"]
)
async def test_without_streams_it_is_posted_and_edited(
    slack: Slack, growth: Growth, code: str
) -> None:
    if code == "http 404":
        slack.server.fail("chat.startStream", "404", times=99)
    elif code == "unknown_method":
        slack.server.streaming = False
    else:
        slack.server.fail("chat.startStream", code, times=99)
    growth.does("model")
    growth.says("The **answer** ")
    await growth.until("The *answer*")
    assert "Asking the model…" in _read(growth.only())
    growth.says("is\n\n42, ")
    await growth.until("42,")
    await slack.channel.send(final())
    check_answered(growth)
    # The next answer doesn't ask for a stream again.
    asked = len(growth.calls("chat.startStream"))
    other = RUN.replace("0001", "0002")
    slack.channel.follow(run(id=other))
    slack.live.events.publish(Event(other, "delta", {"text": "second answer "}))
    await growth.until("second")
    assert len(growth.calls("chat.startStream")) == asked == 1


@pytest.mark.parametrize("code", ["channel_type_not_supported", "invalid_chunks"])
async def test_one_refused_stream_says_nothing_of_others(slack: Slack, code: str) -> None:
    slack.server.fail("chat.startStream", code)
    slack.channel.follow(run())
    growth = Growth(slack)
    growth.says("first answer ")
    growth.does("model")
    await growth.until("first")
    other = RUN.replace("0001", "0002")
    slack.channel.follow(run(id=other))
    slack.live.events.publish(Event(other, "doing", {"seq": 1, "kind": "model", "name": "gpt"}))
    await slack.server.until(lambda: len(growth.calls("chat.startStream")) == 2)


async def test_what_was_said_otherwise_is_replaced(slack: Slack, growth: Growth) -> None:
    growth.does("model")
    growth.says("Let me look that up. ")
    await growth.until("Let me look")
    await slack.channel.send(final())
    check_answered(growth)
    assert "Let me" not in _read(growth.only())


async def test_a_secret_is_shown_at_no_time(slack: Slack, growth: Growth) -> None:
    growth.does("model")
    growth.says("it is SECRET indeed ")
    await growth.until("indeed")
    assert "SECRET" not in str(slack.server.calls)


async def test_nobody_is_called_by_an_answer_that_grows(slack: Slack, growth: Growth) -> None:
    growth.does("tool", "<!channel>")
    growth.says("<!channel> <@U0MEMBER> hello ")
    await growth.until("hello")
    assert "<!" not in _read(growth.only()) and "<@" not in _read(growth.only())
    await slack.channel.send(final("<!channel> <@U0MEMBER> hello there"))
    assert "<!" not in _read(growth.only()) and "<@" not in _read(growth.only())
    assert growth.calls("chat.update") == []


@pytest.mark.parametrize("kind", ["message_not_in_streaming_state", "internal_error", "drop_after"])
async def test_a_stream_that_breaks_still_ends_in_one_answer(
    slack: Slack, growth: Growth, kind: str
) -> None:
    growth.does("model")
    await growth.until("Asking the model")
    slack.server.fail("chat.appendStream", kind)
    growth.says("The **answer** ")
    await slack.server.until(lambda: bool(growth.calls("chat.appendStream")))
    await slack.channel.send(final())
    check_answered(growth)


async def test_an_expired_stream_is_edited_on(slack: Slack, growth: Growth) -> None:
    growth.does("model")
    await growth.until("Asking the model")
    slack.server.expire_streams()
    growth.says("The **answer** ")
    await growth.until("The *answer*")
    await slack.channel.send(final())
    check_answered(growth)


@pytest.mark.parametrize(
    "kind", ["message_not_in_streaming_state", "500", "drop_after", "invalid_blocks"]
)
async def test_an_end_that_goes_wrong_is_done_otherwise(
    slack: Slack, growth: Growth, kind: str
) -> None:
    growth.does("model")
    await growth.until("Asking the model")
    slack.server.fail("chat.stopStream", kind)
    await slack.channel.send(final())
    check_answered(growth)


async def test_a_rate_limit_in_the_middle_holds_nothing_up(slack: Slack, growth: Growth) -> None:
    growth.does("model")
    await growth.until("Asking the model")
    slack.server.fail("chat.appendStream", "429", times=50, retry_after=60)
    growth.says("The **answer** ")
    await slack.server.until(lambda: bool(growth.calls("chat.appendStream")))
    async with asyncio.timeout(5):
        await slack.channel.send(final())
    check_answered(growth)
    assert len(growth.calls("chat.appendStream")) == 1


async def test_a_rate_limit_at_the_end_goes_back_with_its_seconds(
    slack: Slack, growth: Growth
) -> None:
    growth.does("model")
    await growth.until("Asking the model")
    slack.server.fail("chat.stopStream", "429", times=1, retry_after=30)
    with pytest.raises(ChannelUnavailable) as caught:
        await slack.channel.send(final())
    assert caught.value.retry_after == 30
    await slack.channel.send(final(attempts=2))
    check_answered(growth)


async def test_a_draft_that_someone_deleted_is_answered_anew(slack: Slack, growth: Growth) -> None:
    growth.does("model")
    await growth.until("Asking the model")
    slack.server.messages.clear()
    await slack.channel.send(final())
    check_answered(growth)


async def test_a_draft_that_cannot_be_finished_goes_before_the_answer_comes(
    slack: Slack, growth: Growth
) -> None:
    growth.does("model")
    growth.says("Let me look that up. ")
    await growth.until("Let me look")
    begun = growth.only()["ts"]
    slack.server.fail("chat.update", "cant_update_message", times=9)
    await slack.channel.send(final())
    check_answered(growth)
    assert growth.only()["ts"] != begun


@pytest.mark.parametrize(
    ("kind", "name", "title"),
    [
        ("file", "a b.csv", "Reading a b.csv"),
        ("tool", "make_file", "Using make file"),
        ("tool", " ", "Using a tool"),
        ("route", "chooser", "Choosing an agent"),
        ("tool", "<!here>" + "x" * 900, None),
    ],
)
async def test_each_step_has_a_title_for_people(
    growth: Growth, kind: str, name: str, title: str | None
) -> None:
    growth.does(kind, name)
    await growth.slack.server.until(lambda: bool(growth.slack.server.messages))
    (card,) = growth.only()["blocks"]
    assert title is None or card["title"] == title
    assert len(card["title"]) < 80 and "<!here>" not in card["title"]


async def test_many_answers_at_once_share_nothing(slack: Slack) -> None:
    """Each its own message, also where Slack lets only some of them stream just now."""
    slack.server.fail("chat.startStream", "429", times=3, retry_after=60)
    numbers = [f"{RUN[:-4]}{n:04}" for n in range(1, 9)]
    for number in numbers:
        slack.channel.follow(run(id=number))
        slack.live.events.publish(Event(number, "doing", {"seq": 1, "kind": "model", "name": "x"}))
        slack.live.events.publish(Event(number, "delta", {"text": f"This is {number} and "}))
    await slack.server.until(lambda: len(slack.server.messages) == 5)
    for number in numbers:
        reply = reply_to_json(Reply(f"This is {number} and no other", number, rateable=True))
        await slack.channel.send(final(id=number, run_id=number, reply=reply))
    assert len(slack.server.messages) == len(numbers)
    for message in slack.server.messages:
        number = message["metadata"]["event_payload"]["run_id"]
        assert f"This is {number} and no other" in _read(message)


async def test_a_long_answer_goes_on_in_further_messages(slack: Slack, growth: Growth) -> None:
    paragraphs = [f"Paragraph {n}. " + "word " * 100 for n in range(60)]
    growth.does("model")
    for paragraph in paragraphs:
        growth.says(f"{paragraph}\n\n")
    await growth.until("Paragraph 3.")
    ref = await slack.channel.send(final("\n\n".join(paragraphs)))
    shown = slack.server.messages
    assert [m["metadata"]["event_payload"]["part"] for m in shown] == list(range(len(shown)))
    assert len(shown) > 2 and ref["parts"] == [m["ts"] for m in shown]
    text = " ".join(b["text"] for m in shown for b in m["blocks"] if b["type"] == "markdown")
    assert text.split() == " ".join(paragraphs).split()


async def test_stopped_in_the_middle_keeps_what_was_said(slack: Slack, growth: Growth) -> None:
    growth.does("model")
    growth.says("The **answer** is half ")
    await growth.until("half")
    await slack.channel.send(final("The **answer** is half\n\n_Stopped._"))
    message = growth.only()
    assert message["blocks"][1]["text"] == "The **answer** is half\n\n_Stopped._"
    assert message["blocks"][0]["status"] == "complete"


# A process dies


async def test_after_a_kill_the_draft_becomes_the_answer(slack: Slack, growth: Growth) -> None:
    growth.does("model")
    growth.says("The wrong ")
    await growth.until("wrong")
    later = await another(slack)
    assert await later.channel.find(final()) is None
    await later.channel.send(final(attempts=2))
    check_answered(growth)
    assert await later.channel.find(final()) is not None
    await later.channel.stop()


@pytest.mark.parametrize("streaming", [True, False], ids=["stream", "post"])
@pytest.mark.parametrize("lost", ["after", "before"])
async def test_killed_between_showing_and_remembering(
    slack: Slack, growth: Growth, streaming: bool, lost: str
) -> None:
    slack.server.streaming = streaming
    kind = "drop_after" if lost == "after" else "drop"
    slack.server.fail("chat.startStream" if streaming else "chat.postMessage", kind)
    growth.does("model")
    growth.says("The wrong ")
    await slack.server.until(
        lambda: bool(growth.calls("chat.startStream" if streaming else "chat.postMessage"))
    )
    assert slack.live.drafts.kept["local", RUN]["ts"] == ""
    later = await another(slack)
    await later.channel.send(final())
    check_answered(growth)
    await later.channel.stop()


async def test_a_stream_of_which_slack_shows_no_cards_is_found_by_its_state(
    slack: Slack, growth: Growth
) -> None:
    growth.does("model")
    await growth.until("Asking the model")
    growth.only()["blocks"] = []
    slack.live.drafts.kept["local", RUN] = {
        **slack.live.drafts.kept["local", RUN],
        "ts": "",
    }
    later = await another(slack)
    await later.channel.send(final())
    check_answered(growth)
    await later.channel.stop()


async def test_taken_over_it_grows_on_in_the_same_message(slack: Slack, growth: Growth) -> None:
    growth.does("model")
    growth.says("The wrong ")
    await growth.until("wrong")
    later = replace(await another(slack), live=Kept(drafts=slack.live.drafts))
    await later.channel.stop()
    channel, _ = build(
        slack.server,
        RecordingInbox(),
        slack.clock,
        Lines(),
        app_token=None,
        sources=later.live.sources(),
    )
    await channel.start()
    channel.follow(run(attempt=2))
    later.live.events.publish(Event(RUN, "delta", {"text": "The **answer** "}))
    await growth.until("The *answer*")
    assert "wrong" not in _read(growth.only())
    await channel.send(final())
    check_answered(growth)
    await channel.stop()


async def test_taken_over_by_the_same_process_it_grows_once(slack: Slack, growth: Growth) -> None:
    growth.does("model")
    await growth.until("Asking the model")
    slack.channel.follow(run(attempt=2))
    growth.says("The **answer** ")
    await growth.until("The *answer*")
    await slack.channel.send(final())
    check_answered(growth)


async def test_taken_over_and_answered_at_once_there_is_no_second_answer(
    slack: Slack, growth: Growth
) -> None:
    growth.does("model")
    await growth.until("Asking the model")
    later = await another(slack)
    later.channel.follow(run(attempt=2))
    await later.channel.send(final())
    check_answered(growth)
    await later.channel.stop()


async def test_where_it_cannot_be_remembered_nothing_grows(slack: Slack, growth: Growth) -> None:
    slack.live.drafts.full = True
    growth.does("model")
    growth.says("The **answer** ")
    await slack.channel.send(final())
    check_answered(growth)


async def test_an_answer_that_grows_goes_away_with_the_channel(
    slack: Slack, growth: Growth
) -> None:
    growth.does("model")
    await growth.until("Asking the model")
    await slack.channel.stop()
    growth.says("more words ")
    assert not slack.live.events.watched(RUN)
