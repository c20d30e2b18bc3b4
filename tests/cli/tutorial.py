"""Plays docs/tutorial.md on a fresh Ratchet; `make docs` writes what it answered into the page."""

import re
import shlex
import signal
import subprocess
import tempfile
from pathlib import Path

from tests.architecture.source import ROOT
from tests.cli.machine import RATCHET, Server, environ

PATH = ROOT / "docs" / "tutorial.md"

_BLOCK = re.compile(r"(?<=```console\n).*?(?=```\n)", re.DOTALL)
_PASSING = (
    (re.compile(r"\b[0-9a-f]{8}\b"), "1a2b3c4d"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC"), "2026-11-20 09:30 UTC"),
    (re.compile(r" +\d+(\.\d+)? m?s\b"), " 0 ms"),
    (re.compile(r"\d+ min ago"), "just now"),
)
"""What differs each time: ids, dates, durations."""


def played(page: str, home: Path) -> str:
    """The page with every answer as it is now."""
    server = Server(home)
    try:
        return _BLOCK.sub(lambda block: _answers(block[0], home), page)
    finally:
        server.end(signal.SIGTERM)


def steady(page: str) -> str:
    """The page without what differs each time."""
    for pattern, same in _PASSING:
        page = pattern.sub(same, page)
    return page


def _answers(block: str, home: Path) -> str:
    commands = [line for line in block.splitlines() if line.startswith("$ ")]
    return "".join(f"{command}\n{_answer(command, home)}" for command in commands)


def _answer(command: str, home: Path) -> str:
    done = subprocess.run(
        [RATCHET, *shlex.split(command.removeprefix("$ ratchet "))],
        cwd=home.parent,
        env=environ(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    return done.stdout


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        PATH.write_text(played(PATH.read_text("utf-8"), Path(folder) / "home"), "utf-8")
    print(f"{PATH.relative_to(ROOT)} is as it is now")


if __name__ == "__main__":
    main()
