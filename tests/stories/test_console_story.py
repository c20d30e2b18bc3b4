"""The whole loop in a terminal: `ratchet up` on a pty, and a second shell beside it."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.machine import RATCHET, environ, ratchet

QUESTION = "In which unit do we state the length of a cable?"
LESSON = "We state the length of a cable in metres"
ANSWERED = "could be better"
_PATIENCE = 30.0
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b\][^\x07]*\x07|\r")


class Terminal:
    """Someone at the terminal in which Ratchet was started."""

    def __init__(self, home: Path) -> None:
        self._mine, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (60, 200))
        self._seen = ""
        self._read = 0
        self.process = subprocess.Popen(
            [RATCHET, "up"],
            cwd=home.parent,
            env=environ(home, TERM="xterm", RATCHET_TRIALS="off"),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)

    def types(self, line: str) -> None:
        os.write(self._mine, f"{line}\n".encode())

    def sees(self, words: str) -> str:
        """What came since the last look, up to and with the words."""
        while words not in self._seen[self._read :]:
            ready, _, _ = select.select([self._mine], [], [], _PATIENCE)
            assert ready, f"{words!r} never came after:\n{self._seen[self._read :]}"
            chunk = os.read(self._mine, 65_536).decode("utf-8", "replace")
            self._seen = _ESCAPES.sub("", self._seen + chunk)
        start, self._read = self._read, self._seen.index(words, self._read) + len(words)
        return self._seen[start : self._read]

    def asks(self, question: str) -> str:
        self.types(question)
        return self.sees(ANSWERED)

    def interrupts(self) -> int:
        """Ctrl-C; the exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(_PATIENCE)

    def close(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self._mine)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def terminal(home: Path) -> Iterator[Terminal]:
    made = Terminal(home)
    yield made
    made.close()


def said(home: Path, *words: str) -> str:
    done = ratchet(home, *words, RATCHET_TRIALS="off")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_ask_better_approve_and_roll_back(home: Path, terminal: Terminal) -> None:
    terminal.sees("Turn on:")
    assert "in metres" not in terminal.asks(QUESTION)
    terminal.types(f"/better {LESSON}")
    assert LESSON in terminal.sees("[3] Decline")
    terminal.types("1")
    terminal.sees("P1 is approved")
    assert "taught by P1" in terminal.asks(QUESTION)

    # Another shell finds the server; what is decided there is told here.
    answer = json.loads(said(home, "ask", QUESTION, "--json"))
    assert "in metres" in answer["answer"] and answer["agent_version"] == 2
    terminal.types("/better Always thank the person first")
    terminal.sees("[3] Decline")
    assert "P2 is declined" in said(home, "say", "/decline P2 that sounds false")
    terminal.sees("P2: Declined by owner")
    assert "P1 is rolled back" in said(home, "say", "/rollback P1")
    terminal.sees("P1: Rolled back by owner")
    assert "in metres" not in terminal.asks(QUESTION)

    terminal.types(f"/better {LESSON}")
    terminal.sees("[3] Decline")
    assert terminal.interrupts() == 0

    # And without a server.
    assert "P3 is approved" in said(home, "say", "/approve P3")
    answer = json.loads(said(home, "ask", QUESTION, "--json"))
    assert "taught by P3" in answer["answer"]
    assert list(answer) == [
        *("run_id", "agent", "agent_version", "answer"),
        *("outcome", "usage", "cost_usd", "latency_ms"),
    ]
