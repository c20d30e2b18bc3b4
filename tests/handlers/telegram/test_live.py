"""An answer while it grows: a draft in a private chat, one message in a group, and one answer."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.clock import SystemClock
from bot.errors import DeliveryUnclear
from bot.events import Events
from bot.model.delivery import Delivery
from bot.model.message import Picture, Reply
from bot.model.run import Run, RunKind, RunStatus
from bot.ports.channels import Event
from handlers.telegram.channel import TelegramChannel
from tests.fakes.telegram_server import Fault, TelegramServer
from tests.handlers.telegram.conftest import MakeChannel, Stores, delivery

GROUP = -1_000_000_000_042
ID = "01930000-0000-7000-8000-0000deadbeef"
WHOLE = "One two three four five."


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def channel(make: MakeChannel, events: Events, stores: Stores) -> TelegramChannel:
    return make(
        events=events,
        drafts=stores.drafts,
        redact=lambda text: text.replace("hunter2", "[redacted]"),
        clock=SystemClock(),
    )


@pytest.fixture
async def asked(server: TelegramServer) -> AsyncIterator[Run]:
    """A question in a group, being worked on."""
    question = await server.say("@ratchet_bot count", chat=GROUP)
    yield _run({"chat_id": GROUP, "reply_to": question["message_id"], "user_id": 7}, question)


def _run(address: dict[str, object], question: dict[str, object]) -> Run:
    return Run(
        ID,
        "local",
        RunKind.REQUEST,
        RunStatus.RUNNING,
        "telegram",
        "e",
        f"telegram:{address['chat_id']}",
        "p",
        "count",
        0,
        address={**address, "after": question["message_id"]},
    )


def answer(run: Run, reply: Reply | None = None) -> Delivery:
    made = delivery(reply or Reply(WHOLE, ID, rateable=True))
    return replace(made, id=ID, address=run.address)


def says(events: Events, text: str) -> None:
    events.publish(Event(ID, "delta", {"text": text}))


def uses(events: Events, tool: str) -> None:
    events.publish(Event(ID, "doing", {"seq": 1, "kind": "tool", "name": tool}))


async def test_in_a_private_chat_it_is_a_draft_until_it_is_said(
    server: TelegramServer, channel: TelegramChannel, events: Events
) -> None:
    question = await server.say("count")
    run = _run({"chat_id": 7, "user_id": 7}, question)
    channel.follow(run)
    uses(events, "calculator")
    await server.until(lambda: bool(server.drafts[7]))
    says(events, "**One** two hunter2 thr")
    await server.until(lambda: len(server.drafts[7]) == 2)
    assert [d["text"] for d in server.drafts[7]] == ["Using calculator…", "One two [redacted] …"]
    assert len({d["id"] for d in server.drafts[7]}) == 1 and server.drafts[7][0]["id"] != 0
    assert server.shown() == []
    await channel.send(answer(run))
    says(events, "too late ")
    assert [m["text"] for m in server.shown()] == [f"{WHOLE}\n\nrun deadbeef"]
    await asyncio.sleep(1)
    assert not server.drafts[7]


async def test_a_server_without_drafts_is_left_alone(
    server: TelegramServer, channel: TelegramChannel, events: Events
) -> None:
    server.without = {"sendMessageDraft"}
    run = _run({"chat_id": 7, "user_id": 7}, await server.say("count"))
    channel.follow(run)
    says(events, "One two ")
    await server.until(lambda: bool(server.sent("sendMessageDraft")))
    await channel.send(answer(run))
    channel.follow(replace(run, id="another"))
    assert not events.watched("another"), "what isn't shown isn't streamed"
    assert len(server.shown()) == 1


async def test_in_a_group_a_short_answer_is_one_message(
    server: TelegramServer, channel: TelegramChannel, events: Events, asked: Run
) -> None:
    channel.follow(asked)
    says(events, "One two ")
    await asyncio.sleep(0.8)
    await channel.send(answer(asked))
    assert [c.method for c in server.calls] == ["sendMessage"]


async def test_in_a_group_one_message_grows_into_the_answer(
    server: TelegramServer, channel: TelegramChannel, events: Events, asked: Run
) -> None:
    channel.follow(asked)
    says(events, "One two ")
    await server.until(lambda: bool(server.shown(GROUP)))
    (growing,) = server.shown(GROUP)
    assert growing["text"] == "One two …"
    assert growing["reply_to_message"]["text"] == "@ratchet_bot count"
    says(events, "three four ")
    await asyncio.sleep(1)
    assert growing["text"] == "One two …", "not yet: a group takes twenty changes a minute"
    await server.until(lambda: growing["text"] == "One two three four …")
    ref = await channel.send(answer(asked))
    (shown,) = server.shown(GROUP)
    assert ref == {"chat_id": GROUP, "message_id": shown["message_id"]}
    assert shown["text"] == f"{WHOLE}\n\nrun deadbeef"
    assert [k["text"] for k in shown["reply_markup"]["inline_keyboard"][0]] == ["👍", "👎"]


@pytest.fixture
async def begun(server: TelegramServer, stores: Stores, asked: Run) -> Run:
    """A run whose process died while its answer grew in the group."""
    shown = server.new(GROUP, 0, {"text": "One two …"})
    ref = {"chat_id": GROUP, "message_id": shown["message_id"]}
    await stores.drafts.put("local", ID, "telegram", ref)
    return asked


async def test_after_a_crash_what_has_grown_becomes_the_answer(
    server: TelegramServer, channel: TelegramChannel, events: Events, begun: Run
) -> None:
    channel.follow(begun)
    says(events, "One two three ")
    await server.until(lambda: server.shown(GROUP)[0]["text"] == "One two three …")
    await channel.send(answer(begun))
    assert [m["text"] for m in server.shown(GROUP)] == [f"{WHOLE}\n\nrun deadbeef"]


async def test_a_last_edit_of_which_nobody_heard_is_made_again(
    server: TelegramServer, channel: TelegramChannel, begun: Run
) -> None:
    server.faults = [Fault("editMessageText", 0, after=True)]
    with pytest.raises(DeliveryUnclear):
        await channel.send(answer(begun))
    assert await channel.find(answer(begun)) is None
    await channel.send(answer(begun))
    assert [m["text"] for m in server.shown(GROUP)] == [f"{WHOLE}\n\nrun deadbeef"]


async def test_where_the_growing_message_was_removed_the_answer_is_said_anew(
    server: TelegramServer, channel: TelegramChannel, begun: Run
) -> None:
    server.messages.pop((GROUP, server.shown(GROUP)[0]["message_id"]))
    await channel.send(answer(begun))
    assert [m["text"] for m in server.shown(GROUP)] == [f"{WHOLE}\n\nrun deadbeef"]


async def test_a_long_answer_begins_in_the_message_that_grew(
    server: TelegramServer, channel: TelegramChannel, begun: Run
) -> None:
    long = Reply("word " * 2000, ID, rateable=True)
    server.faults = [Fault("sendMessage", 0, after=True)]
    with pytest.raises(DeliveryUnclear):
        await channel.send(answer(begun, long))
    assert await channel.find(answer(begun, long)) is None
    ref = await channel.send(answer(begun, long))
    shown = server.shown(GROUP)
    assert len(shown) == 3 and ref["message_id"] == shown[-1]["message_id"]
    assert sum(len(m["text"].split()) for m in shown) == 2002


async def test_a_picture_takes_the_place_of_what_grew(
    server: TelegramServer, channel: TelegramChannel, begun: Run
) -> None:
    await channel.send(answer(begun, Reply("Costs", ID, picture=Picture(b"png", "A chart"))))
    assert [m.get("caption") for m in server.shown(GROUP)] == ["Costs"]


@pytest.mark.parametrize("arrived", [True, False])
async def test_a_first_showing_that_was_cut_off_is_found_out(
    server: TelegramServer,
    channel: TelegramChannel,
    events: Events,
    asked: Run,
    make: MakeChannel,
    stores: Stores,
    arrived: bool,
) -> None:
    server.faults = [Fault("sendMessage", 0, after=arrived)]
    channel.follow(asked)
    says(events, "One two ")
    await server.until(lambda: bool(server.sent("sendMessage")))
    await channel.stop()
    next_one = make(events=events, drafts=stores.drafts, clock=SystemClock())
    next_one.follow(asked)
    says(events, "One two three ")
    await next_one.send(answer(asked))
    assert [m["text"] for m in server.shown(GROUP)] == [f"{WHOLE}\n\nrun deadbeef"]


async def test_a_group_that_asks_for_a_pause_gets_one_and_then_the_answer(
    server: TelegramServer, channel: TelegramChannel, events: Events, asked: Run
) -> None:
    server.faults = [Fault("sendMessage", 429, "Too Many Requests", retry_after=1)]
    channel.follow(asked)
    says(events, "One two ")
    await server.until(lambda: bool(server.shown(GROUP)))
    assert len(server.sent("sendMessage")) == 2
    await channel.send(answer(asked))
    assert len(server.shown(GROUP)) == 1
