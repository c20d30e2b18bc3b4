"""A server and those who talk to it: one holds the data, the others find it."""

import json
import os
import pty
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.machine import RATCHET, Server, environ, ratchet
from tests.cli.test_command_line import ANSWER


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "home")
    yield server
    if server.process.poll() is None:
        server.end(signal.SIGKILL)


def test_it_says_what_runs_and_how_to_turn_on_the_rest(server: Server) -> None:
    key = (server.home / "api_key").read_text()
    where, data, on, off, turn_on = server.lines
    assert server.url in where
    assert str(server.home) in data and data.split()[:2] == ["Key:", key]
    assert "offline model" in on and "SQLite" in on
    assert "Slack" in off and "Telegram" in off
    for name in ("OPENAI_API_KEY", "SLACK_BOT_TOKEN", "TELEGRAM_BOT_TOKEN", "WHATSAPP_TOKEN"):
        assert name in turn_on

    for path in ("running.json", "api_key"):
        assert stat.S_IMODE((server.home / path).stat().st_mode) == 0o600
    assert server.note()["pid"] == server.process.pid


def test_commands_find_the_server_and_a_second_one_is_told(server: Server) -> None:
    done = ratchet(server.home, "ask", "What is 17 * 23?", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert list(answer) == ANSWER and "391" in answer["answer"]
    listed = json.loads(ratchet(server.home, "runs", "--json").stdout)
    assert answer["run_id"] in [run["run_id"] for run in listed]
    chat = ratchet(server.home, "chat", stdin="What is 6 * 7?\n\n/nonsense\n")
    assert chat.returncode == 0
    assert "42" in chat.stdout and server.url in chat.stderr

    unknown = ratchet(server.home, "run", "00000000")
    assert unknown.returncode == 1 and "`ratchet runs` lists" in unknown.stderr

    stranger = ratchet(server.home, "runs", RATCHET_API_KEY="another")
    assert stranger.returncode == 2
    assert "RATCHET_API_KEY" in stranger.stderr

    second = ratchet(server.home, "up")
    assert second.returncode == 2
    assert f"process {server.process.pid}" in second.stderr and server.url in second.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_cleanly_when_told(server: Server, number: int) -> None:
    assert server.end(number) == 0
    assert not (server.home / "running.json").exists()


def test_a_killed_server_blocks_nobody(server: Server) -> None:
    server.end(signal.SIGKILL)
    assert server.note()["pid"] == server.process.pid
    done = ratchet(server.home, "ask", "What is 2 + 2?")
    assert done.returncode == 0, done.stderr
    assert "4" in done.stdout


def test_in_a_terminal_it_is_a_chat_until_ctrl_c(tmp_path: Path) -> None:
    """In a terminal Ctrl-C reaches every process of the group once."""
    mine, theirs = pty.openpty()
    process = subprocess.Popen(
        [RATCHET, "up"],
        cwd=tmp_path,
        env=environ(tmp_path / "home"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    seen = _until(mine, b"Turn on:")
    os.write(mine, b"What is 17 * 23?\n")
    seen += _until(mine, b"391")
    os.killpg(process.pid, signal.SIGINT)
    code = process.wait(30)
    os.close(mine)
    assert code == 0
    assert b"Traceback" not in seen


def _until(terminal: int, wanted: bytes) -> bytes:
    seen = b""
    while wanted not in seen:
        seen += os.read(terminal, 4096)
    return seen


def test_a_chat_needs_no_server(tmp_path: Path) -> None:
    done = ratchet(tmp_path / "home", "chat", stdin="What is 6 * 7?\n")
    assert done.returncode == 0, done.stderr
    assert "42" in done.stdout
