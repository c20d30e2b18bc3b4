"""Messages from everywhere: late, doubled, huge, odd, in order, stopped, not allowed."""

import asyncio
from collections.abc import Sequence

import pytest

from bot.app import App
from bot.model.memory import ORG
from bot.model.message import Sender
from bot.model.run import Run, RunKind, RunStatus
from tests.bot.dispatch.saying import (
    MEMBER,
    OWNER,
    WORKSPACE,
    buttons,
    ended,
    kept,
    message,
    said,
    say,
    start,
    steps,
)
from tests.fakes.model_server import ModelServer, Wait, asked
from tests.fakes.recording_channel import RecordingChannel


async def asked_for(model: ModelServer, count: int) -> None:
    """Once the model server has been asked so often."""
    while len(model.chats) < count:
        await asyncio.sleep(0.001)


async def kept_in(app: App, conversation: str) -> list[Run]:
    """The conversation's requests, once each has ended."""
    found = await app.services.runs.recent(
        WORKSPACE, conversation=conversation, kinds=[RunKind.REQUEST.value]
    )
    return [await ended(app, run.id) for run in found]


async def finished(app: App, ids: Sequence[str]) -> list[Run]:
    return [await ended(app, run_id) for run_id in ids]


async def test_a_late_message_gets_an_apology_and_a_button(
    app: App, model: ModelServer, slack: RecordingChannel
) -> None:
    long_ago = app.services.clock.now() - 3_600_000
    run = await say(app, "is it raining?", conversation="late", sent_at=long_ago)
    assert run.status is RunStatus.EXPIRED and run.outcome.y is None
    assert "too late" in said(run) and "is it raining?" in said(run)
    assert not model.chats

    (command,) = buttons(run)
    pressed = [await say(app, command, conversation="late", is_button=True) for _ in range(2)]
    assert "Running it now" in said(pressed[0]) and "already" in said(pressed[1])
    now = [r for r in await kept_in(app, "late") if r.status is RunStatus.SUCCEEDED]
    assert [said(r) for r in now] == ["You said: is it raining?"]
    assert len(model.chats) == 1


async def test_nobody_runs_the_late_message_of_another(app: App, model: ModelServer) -> None:
    run = await say(app, "/approve P1", conversation="late", sent_at=1, sender=OWNER)
    refused = await say(app, f"/retry {run.id}", conversation="late")
    assert refused.status is RunStatus.REFUSED and "Only who asked" in said(refused)


async def test_a_conversation_keeps_its_order_and_delays_no_other(
    app: App, model: ModelServer
) -> None:
    slow = asyncio.Event()
    model.then(Wait(until=slow))
    mine = [await start(app, f"mine {n}", conversation="one") for n in range(4)]
    await asked_for(model, 1)
    other = await say(app, "other", conversation="two")
    assert other.status is RunStatus.SUCCEEDED
    slow.set()
    runs = await finished(app, mine)
    assert [said(run) for run in runs] == [f"You said: mine {n}" for n in range(4)]
    assert [asked(body) for body in model.chats] == [
        "mine 0",
        "other",
        "mine 1",
        "mine 2",
        "mine 3",
    ]
    begun = [run.finished_at for run in runs]
    assert begun == sorted(begun)
    assert len(model.chats[-1]["messages"]) == 8  # the system's, three questions and answers, one


@pytest.mark.parametrize("more", [{"RATCHET_MODEL_CONCURRENCY": "2"}])
async def test_no_more_calls_than_the_limit_are_in_flight(app: App, model: ModelServer) -> None:
    model.delay = 0.005
    await finished(app, [await start(app, f"n{n}") for n in range(8)])
    assert model.most_in_flight == 2


@pytest.mark.parametrize("more", [{"RATCHET_MODEL_CONCURRENCY": "1"}])
async def test_calls_beyond_the_limit_wait_in_order(app: App, model: ModelServer) -> None:
    slow = asyncio.Event()
    model.then(Wait(until=slow))
    ids = [await start(app, "n0")]
    await asked_for(model, 1)
    ids += [await start(app, f"n{n}") for n in range(1, 12)]
    while len(vars(app.services.purse)["_holds"]) < len(ids):  # all are at the door
        await asyncio.sleep(0.001)
    slow.set()
    await finished(app, ids)
    assert [asked(body) for body in model.chats] == [f"n{n}" for n in range(12)]


async def test_stop_ends_what_runs_and_what_waits_and_keeps_what_was_said(
    app: App, model: ModelServer
) -> None:
    never = asyncio.Event()
    model.then(Wait(until=never))
    ids = [await start(app, f"n{n}", conversation="one") for n in range(3)]
    await asked_for(model, 1)
    stop = await say(app, "/stop", conversation="one")
    assert said(stop) == "Stopped 3 requests."
    runs = await finished(app, ids)
    assert {run.status for run in runs} == {RunStatus.CANCELLED}
    assert len(model.chats) == 1
    assert said(await say(app, "go on", conversation="one")) == "You said: go on"
    assert said(await say(app, "/stop", conversation="one")) == (
        "Nothing is running in this conversation."
    )


async def test_a_guest_stops_only_their_own(app: App, model: ModelServer) -> None:
    never = asyncio.Event()
    model.then(Wait(until=never))
    run_id = await start(app, "mine", conversation="one")
    await asked_for(model, 1)
    guest = Sender("U9", "guest", is_guest=True)
    stop = await say(app, "/stop", conversation="one", sender=guest)
    assert said(stop) == "What runs here is someone else's."
    assert await app.inbox.cancel(WORKSPACE, run_id)


async def test_what_is_cancelled_before_its_turn_never_reaches_a_model(
    app: App, model: ModelServer
) -> None:
    """Messages that arrive together all begin as running, though only one is worked on."""
    slow = asyncio.Event()
    model.then(Wait(until=slow))
    ids = await asyncio.gather(*(start(app, f"n{n}", conversation="one") for n in range(4)))
    await asked_for(model, 1)
    first = int(asked(model.chats[0])[1:])  # of those that come together any may be the first
    *cancelled, last = (n for n in range(4) if n != first)
    for n in cancelled:
        assert await app.inbox.cancel(WORKSPACE, ids[n])
    slow.set()
    runs = await finished(app, ids)
    assert {n for n in range(4) if runs[n].status is RunStatus.CANCELLED} == set(cancelled)
    assert runs[first].status is runs[last].status is RunStatus.SUCCEEDED
    assert [asked(body) for body in model.chats] == [f"n{first}", f"n{last}"]


async def test_cancelling_at_any_moment_ends_a_run_once(app: App, model: ModelServer) -> None:
    for ticks in range(25):
        run_id = await start(app, f"n{ticks}")
        for _ in range(ticks):
            await asyncio.sleep(0)
        answers = await asyncio.gather(*(app.inbox.cancel(WORKSPACE, run_id) for _ in range(3)))
        run = await ended(app, run_id)
        assert run.status in (RunStatus.CANCELLED, RunStatus.SUCCEEDED)
        assert any(answers) or run.status is RunStatus.SUCCEEDED
        assert (await kept(app, run)).status is run.status
        assert not await app.inbox.cancel(WORKSPACE, run_id)
    assert not await app.inbox.cancel(WORKSPACE, "no-such-run")
    assert said(await say(app, "still there?")) == "You said: still there?"


async def test_a_sender_that_gives_up_while_accepting_loses_nothing(
    app: App, model: ModelServer
) -> None:
    """The platform's connection may end at any moment: what is in the log is answered."""
    for ticks in range(1, 30):
        text = message(f"n{ticks}")
        accepting = asyncio.ensure_future(app.inbox.accept(text))
        for _ in range(ticks):
            await asyncio.sleep(0)
        accepting.cancel()
        await asyncio.gather(accepting, return_exceptions=True)
        await say(app, "another")
        for run in await kept_in(app, text.conversation):
            assert run.status is RunStatus.SUCCEEDED


async def test_a_message_of_a_megabyte_is_refused_and_its_beginning_kept(
    app: App, model: ModelServer
) -> None:
    run = await say(app, "long " * 200_000)
    assert run.status is RunStatus.REFUSED and run.error_type == "too_long"
    assert "100,000 characters" in said(run)
    assert len((await kept(app, run)).message) == 1000 and not model.chats
    command = await say(app, "/remember " + "long " * 200_000)
    assert command.error_type == "too_long"
    assert not await app.services.memories.list(WORKSPACE, (ORG,))


ODD = [
    "null \x00 inside \x00",
    "مرحبا بالعالم \u202eabc\u202c שלום",
    "👩‍👩‍👧‍👦 🏳️‍🌈 e\u0301 🇦🇶",
    "half a pair \ud83d",
    "\x1b[2J\x07\x08 control",
    "line\r\nline\u2028line\u0085",
    "{{7*7}} ${jndi:ldap://x} %s %n '; DROP TABLE runs;--",
    "\ufeff\u200b",
    "a" * 99_000,
]


@pytest.mark.parametrize("text", ODD)
async def test_any_text_is_asked_and_kept(app: App, model: ModelServer, text: str) -> None:
    run = await say(app, text)
    assert run.status is RunStatus.SUCCEEDED, run.error_message
    stored = await kept(app, run)
    assert "\x00" not in stored.message and stored.message == asked(model.chats[0])
    for command in (
        f"/why {run.id}",
        f"/run {run.id}",
        "/runs",
        f"/better {run.id} so {text[:200]}",
    ):
        shown = await say(app, command, conversation=run.conversation)
        assert shown.status is RunStatus.SUCCEEDED, (command, shown.error_message)


@pytest.mark.parametrize("odd", ["\x00", "\ud83d", "x" * 5000, "'; --", "\u202eowner"])
async def test_odd_names_ids_and_addresses_are_no_obstacle(
    app: App, slack: RecordingChannel, odd: str
) -> None:
    run = await say(
        app,
        "hello",
        event_id=f"event {odd}",
        conversation=f"talk {odd}",
        sender=Sender(f"U {odd}", f"name {odd}"),
        address={"channel": f"C {odd}", odd[:100]: [odd]},
        agent=None,
        history=(("user", odd), ("assistant", odd)),
    )
    assert run.status is RunStatus.SUCCEEDED, run.error_message
    assert (await kept(app, run)).answer == "You said: hello"


@pytest.mark.parametrize("sent_at", [-(10**30), -1, 0, 1, 10**30])
async def test_no_time_of_sending_breaks_anything(app: App, sent_at: int) -> None:
    run = await say(app, "hello", sent_at=sent_at)
    assert run.status in (RunStatus.SUCCEEDED, RunStatus.EXPIRED)


async def test_the_same_event_is_one_message(app: App, model: ModelServer) -> None:
    once = message("hello")
    accepted = await asyncio.gather(*(app.inbox.accept(once) for _ in range(20)))
    assert len({a.run_id for a in accepted}) == 1
    assert sum(not a.duplicate for a in accepted) == 1
    await ended(app, accepted[0].run_id)
    assert (await app.inbox.accept(once)).duplicate
    assert len(model.chats) == 1


async def test_an_unknown_agent_is_said(app: App, model: ModelServer) -> None:
    run = await say(app, "hello", agent="nobody")
    assert run.status is RunStatus.REFUSED and "nobody" in said(run) and not model.chats
    mentioned = await say(app, "@nobody hello")
    assert mentioned.status is RunStatus.SUCCEEDED  # perhaps a person's name


@pytest.mark.parametrize(("typed", "meant"), [("/aprove P1", "/approve"), ("/bettre x", "/better")])
async def test_a_wrong_command_gets_the_closest_right_one(
    app: App, model: ModelServer, typed: str, meant: str
) -> None:
    run = await say(app, typed)
    assert run.status is RunStatus.REFUSED and f"Did you mean {meant}?" in said(run)
    assert run.kind is RunKind.COMMAND and not model.chats


async def test_a_command_that_there_is_none_of_is_kept_for_mining(app: App) -> None:
    for typed in ("/Frobnicate now", "/aprove P1"):
        await say(app, typed)
    until = app.services.clock.now() + 1000
    found = await app.services.evidence.unknown_commands(WORKSPACE, (0, ""), until, 10)
    assert [name for *_, name in found] == ["frobnicate", "aprove, near approve"]


@pytest.mark.parametrize("command", ["/role", "/approve P1", "/budget set workspace day 900"])
async def test_what_a_role_may_not_do_is_said_and_logged(app: App, command: str) -> None:
    guest = Sender("U9", "owner", is_guest=True)
    for sender in (guest, MEMBER):
        run = await say(app, command, sender=sender)
        assert run.status is RunStatus.REFUSED and run.error_type == "forbidden"
        assert "owner" in said(run) or "needs the role" in said(run)
        assert "may not" in (await kept(app, run)).error_message
        if sender.is_guest:
            assert "An owner can change that with /role" in said(run)
    assert not [s for s in await steps(app, run) if s.output is not None]
