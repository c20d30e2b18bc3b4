"""The terminal, driven through a pipe and read from a buffer."""

import asyncio
import io
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from rich.text import Text

from bot.clock import SystemClock, SystemIds
from bot.errors import ChannelError, StorageError
from bot.events import Events
from bot.model.codec import reply_to_json
from bot.model.delivery import Delivery
from bot.model.message import Button, Card, Field, Picture, Reply
from bot.model.run import RunStatus
from bot.ports.channels import Event
from handlers.console.channel import ConsoleChannel
from handlers.console.screen import Screen
from storage.journal import RunJournal
from storage.runs import RunStore
from tests import databases
from tests.fakes.answering_inbox import Answer, AnsweringInbox

CARD = Reply(
    "A proposal.",
    card=Card("Be kinder", "Two answers were curt.", (Field("Expected", "+4 %"),), "-a\n+b", "P1"),
    buttons=(
        Button("Approve", "/approve P1"),
        Button("Decline", "/decline P1", asks="Why not?"),
    ),
)
DECIDED = Reply("", card=Card("Be kinder", ref="P1", status="Approved by owner"))


@dataclass
class Terminal:
    """A person at a terminal: types lines, sees text."""

    console: ConsoleChannel
    inbox: AnsweringInbox
    events: Events
    keyboard: int
    paper: io.StringIO = field(default_factory=io.StringIO)

    def type(self, *lines: str) -> None:
        os.write(self.keyboard, "".join(f"{line}\n" for line in lines).encode())

    async def leave(self) -> str:
        """Ends the input; everything shown until all was answered."""
        os.close(self.keyboard)
        await asyncio.wait_for(self.console.over.wait(), 10)
        return self.paper.getvalue()

    async def sees(self, text: str) -> None:
        async with asyncio.timeout(10):
            while text not in self.paper.getvalue():
                await asyncio.sleep(0)

    @property
    def said(self) -> list[str]:
        return [message.text for message in self.inbox.messages]


@pytest.fixture
async def terminal(tmp_path: Path) -> AsyncIterator[Terminal]:
    db = databases.on_sqlite(tmp_path)
    journal, events = RunJournal(db), Events()
    journal.start()
    inbox = AnsweringInbox(journal, RunStore(db), events, SystemClock(), SystemIds())
    read, write = os.pipe()
    paper = io.StringIO()
    console = ConsoleChannel(
        inbox=inbox, events=events, ids=SystemIds(), workspace="local", stdin=read, output=paper
    )
    await console.start()
    yield Terminal(console, inbox, events, write, paper)
    await console.stop()
    await inbox.stop()
    await journal.close()
    await db.close()
    os.close(read)


async def test_lines_are_answered_in_order_until_the_input_ends(terminal: Terminal) -> None:
    terminal.type("one", "", "  two  ")
    shown = await terminal.leave()
    assert shown.index("You said: one") < shown.index("You said: two")
    first, second = terminal.inbox.messages
    assert first.sender.trusted_local and first.channel == "console"
    assert first.conversation == second.conversation and first.event_id != second.event_id


async def test_the_last_line_needs_no_end(terminal: Terminal) -> None:
    os.write(terminal.keyboard, "½ a line".encode())
    assert "You said: ½ a line" in await terminal.leave()


async def test_lines_stay_lines(terminal: Terminal) -> None:
    terminal.inbox.script["x"] = Answer("one\ntwo\n\n```\nthree\nfour\n```")
    terminal.type("x")
    shown = [line.strip() for line in (await terminal.leave()).splitlines()]
    assert [line for line in shown if line][:4] == ["one", "two", "three", "four"]


async def test_bytes_that_are_no_text_do_no_harm(terminal: Terminal) -> None:
    os.write(terminal.keyboard, b"a\xff\0b\n" + b"x" * 20_000 + b"\n")
    await terminal.sees("x" * 50)
    await terminal.leave()
    assert terminal.said == ["a�b", "x" * 20_000]


async def test_an_answer_that_grows_is_shown_once_it_is_whole(terminal: Terminal) -> None:
    gate = asyncio.Event()
    terminal.inbox.script["slow"] = Answer("all **of** it", deltas=["all ", "of"], waits=gate)
    terminal.type("slow", "next")
    await terminal.inbox.spoke.wait()
    gate.set()
    shown = await terminal.leave()
    assert shown.index("all of it") < shown.index("You said: next")


async def test_stop_is_heard_while_an_answer_grows(terminal: Terminal) -> None:
    terminal.inbox.script["slow"] = Answer(waits=asyncio.Event())
    terminal.type("slow", "/stop")
    while "/stop" not in terminal.said:
        await asyncio.sleep(0)
    slow = (await terminal.inbox.find("slow")).id
    await terminal.inbox.cancel("local", slow)
    assert "You said: /stop" in await terminal.leave()


async def test_a_number_presses_a_button(terminal: Terminal) -> None:
    terminal.inbox.script["/better"] = Answer(reply=CARD)
    terminal.type("/better")
    await terminal.sees("[2] Decline")
    terminal.type("3", "1")
    await terminal.sees("/approve P1\n")
    shown = await terminal.leave()
    assert "Be kinder" in shown and "+b" in shown and "Expected: +4 %" in shown
    assert "There are buttons 1 to 2." in shown
    assert terminal.said == ["/better", "/approve P1"]
    assert terminal.inbox.messages[1].is_button


async def test_one_button_is_only_one(terminal: Terminal) -> None:
    terminal.inbox.script["/edit"] = Answer(reply=Reply("x", buttons=(Button("A", "/a"),)))
    terminal.type("/edit")
    await terminal.sees("[1] A")
    terminal.type("2")
    assert "There is only button 1." in await terminal.leave()


class Glass(io.StringIO):
    """Paper that is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_notice_takes_the_place_of_the_prompt() -> None:
    glass = Glass()
    screen = Screen(glass)
    screen.prompt()
    screen.prompt()
    screen.show("a notice")
    screen.prompt()
    screen.entered()
    screen.show("an answer")
    shown = Text.from_ansi(glass.getvalue().replace("\r\x1b[2K", "<cleared>")).plain
    assert [line for line in shown.splitlines() if line] == [
        "> <cleared>a notice",
        "> an answer",
    ]


async def test_a_button_that_asks_takes_the_next_line(terminal: Terminal) -> None:
    terminal.inbox.script["/better"] = Answer(reply=CARD)
    terminal.type("/better")
    await terminal.sees("[2] Decline")
    terminal.type("2", "", "2", "not now")
    shown = await terminal.leave()
    assert "Why not?" in shown and "Nothing done." in shown
    assert terminal.said == ["/better", "/decline P1 not now"]


async def test_plus_and_minus_rate_the_last_answer(terminal: Terminal) -> None:
    terminal.type("+")
    await terminal.sees("no answer to rate")
    terminal.type("hello")
    await terminal.sees("You said: hello")
    terminal.type("+", "-", "- a list item", "7")
    await terminal.leave()
    run = await terminal.inbox.find("hello")
    rated = [f"/rate {run.id} up", f"/rate {run.id} down"]
    assert terminal.said == ["hello", *rated, "- a list item", "7"]


async def test_cards_come_unasked_and_once(terminal: Terminal) -> None:
    terminal.inbox.script["/better"] = Answer(reply=CARD)
    terminal.type("/better")
    await terminal.sees("[1] Approve")
    for reply in (CARD, CARD, DECIDED, DECIDED):
        terminal.events.publish(Event("", "card", {"key": "P1", "reply": reply_to_json(reply)}))
    elsewhere = {"key": "P9", "reply": reply_to_json(CARD), "workspace": "T0OTHER"}
    terminal.events.publish(Event("", "card", elsewhere))
    await terminal.sees("Approved by owner")
    shown = await terminal.leave()
    assert shown.count("[1] Approve") == 1
    assert shown.count("P1: Approved by owner") == 1


async def test_what_is_said_cannot_steer_the_terminal(terminal: Terminal) -> None:
    bad = "a\x1b[2Jb\x1b]0;title\x07c\x9bd\rovertaken [red]e[/red]"
    card = Card(bad, bad, (Field(bad, bad),), f"+{bad}", "P2", "")
    picture = Picture(b"", bad)
    terminal.inbox.script["bad"] = Answer(
        reply=Reply(bad, card=card, picture=picture, buttons=(Button(bad, bad),), footer=bad)
    )
    terminal.type("bad")
    shown = await terminal.leave()
    assert not set(shown) & {"\x1b", "\x07", "\x9b", "\r"}
    assert "[red]e[/red]" in shown


async def test_a_failed_run_and_a_refused_line_are_said(terminal: Terminal) -> None:
    terminal.inbox.refusals.append(StorageError("locked", said="I can't store that right now."))
    terminal.inbox.script["break"] = Answer(
        status=RunStatus.FAILED, error_type="model", reply=Reply("The key was rejected.")
    )
    terminal.type("lost")
    await terminal.sees("I can't store that right now.")
    terminal.type("break")
    assert "The key was rejected." in await terminal.leave()


async def test_a_file_is_read_to_its_end(tmp_path: Path, terminal: Terminal) -> None:
    script = tmp_path / "lines"
    script.write_text("from a file\nsecond")
    paper = io.StringIO()
    with script.open("rb") as file:
        console = ConsoleChannel(
            inbox=terminal.inbox,
            events=terminal.events,
            ids=SystemIds(),
            workspace="local",
            stdin=file.fileno(),
            output=paper,
        )
        await console.start()
        await asyncio.wait_for(console.over.wait(), 10)
        await console.stop()
    assert "You said: from a file" in paper.getvalue() and "second" in paper.getvalue()
    await terminal.leave()


async def test_nothing_is_sent_to_the_console(terminal: Terminal) -> None:
    assert not terminal.console.push and not terminal.console.routes()
    with pytest.raises(ChannelError):
        await terminal.console.send(Delivery("d", "local", "r", "console", {}, {}))
    await terminal.leave()
