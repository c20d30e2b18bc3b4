"""What the shell gets: words on stdout, the rest on stderr, and an exit code that means something."""

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.machine import RATCHET, environ, ratchet

ANSWER = [
    "run_id",
    "agent",
    "agent_version",
    "answer",
    "outcome",
    "usage",
    "cost_usd",
    "latency_ms",
]
COMMANDS = ("up", "demo", "chat", "ask", "runs", "run", "job", "db", "say", "manifest", "version")

_LOADED = """
import sys
sys.argv = ["ratchet", "--help"]
from bot.cli.app import main
try:
    main()
except SystemExit:
    pass
heavy = {"asyncio", "pydantic", "sqlalchemy", "fastapi", "openai", "dbos", "rich", "slack_bolt"}
print("loaded:", sorted(heavy & set(sys.modules)))
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_help_lists_every_command_and_loads_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LOADED], capture_output=True, text=True, check=True
    )
    assert "loaded: []" in done.stdout
    for command in COMMANDS:
        assert f"\n  {command} " in done.stdout


def test_version_is_the_package_s(home: Path) -> None:
    for words in ("version", "--version"):
        done = ratchet(home, words)
        assert done.stdout == importlib.metadata.version("ratchet-bot") + "\n"
    assert not home.exists()


def test_the_manifest_goes_to_stdout_alone(home: Path) -> None:
    wanted = ("manifest", "--http", "https://bot.example.com", "--command-prefix", "rt", "--json")
    done = ratchet(home, *wanted)
    made = json.loads(done.stdout)
    assert made["features"]["slash_commands"][0]["command"] == "/rt-better"
    assert not made["settings"]["socket_mode_enabled"]
    assert "RATCHET_COMMAND_PREFIX=rt" in done.stderr and not home.exists()
    assert ratchet(home, "manifest", "--http", "http://bot.example.com").returncode == 2


@pytest.mark.parametrize("arguments", [("ask",), ("runs", "-n", "0"), ("askk",), ("say", "hello")])
def test_wrong_usage_is_said_and_does_nothing(home: Path, arguments: tuple[str, ...]) -> None:
    done = ratchet(home, *arguments)
    assert done.returncode == 2
    assert done.stderr and "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not home.exists()


def test_a_wrong_setting_is_named_before_anything_starts(home: Path) -> None:
    (home.parent / ".env").write_text("# mine\nRATCHET_MODLE=x\nRATCHET_LOG_LEVEL=loud\n")
    done = ratchet(home, "up")
    assert done.returncode == 2
    assert "line 2" in done.stderr and "did you mean RATCHET_MODEL?" in done.stderr
    assert "line 3" in done.stderr
    assert "Traceback" not in done.stderr
    assert not home.exists()


def test_a_question_is_answered_without_a_server(home: Path) -> None:
    done = ratchet(home, "ask", "What is 17 * 23?", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1
    assert list(answer) == ANSWER
    assert "391" in answer["answer"]
    assert answer["agent"] and answer["agent_version"] == 1
    assert answer["cost_usd"] == 0

    listed = json.loads(ratchet(home, "runs", "--json").stdout)
    assert [run["run_id"] for run in listed] == [answer["run_id"]]
    shown = json.loads(ratchet(home, "run", answer["run_id"][-8:], "--json").stdout)
    assert shown["message"] == "What is 17 * 23?"
    assert {step["kind"] for step in shown["steps"]} >= {"route", "model"}


def test_what_a_command_tells_is_data_too(home: Path) -> None:
    told = {
        "/trials": {"trials": []},
        "/findings": {"findings": []},
        "/protect writer": {"agent": "writer", "version": None, "protected": True},
        "/judge": {"judge": None},
    }
    for command, data in told.items():
        done = ratchet(home, "say", command, "--json")
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        assert done.stdout.count("\n") == 1
        assert list(answer) == [*ANSWER, "data"]
        assert answer["data"] == data and answer["answer"]
    plain = json.loads(ratchet(home, "say", "/help", "--json").stdout)
    assert list(plain) == ANSWER


def test_a_question_can_come_through_a_pipe(home: Path) -> None:
    done = ratchet(home, "ask", "-", stdin="What is 6 * 7?\n")
    assert done.returncode == 0, done.stderr
    assert "42" in done.stdout
    assert "run " in done.stderr


def test_what_fails_is_said_with_exit_code_1(home: Path) -> None:
    unknown = ratchet(home, "run", "00000000")
    assert unknown.returncode == 1
    assert "ratchet runs" in unknown.stderr
    wrong = ratchet(home, "say", "/aprove P1")
    assert wrong.returncode == 1
    assert "/approve" in wrong.stdout


def test_a_failed_run_is_still_a_run(home: Path) -> None:
    down = {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "RATCHET_MODEL_RETRIES": "0"}
    done = ratchet(home, "ask", "Anything?", "--json", **down)
    assert done.returncode == 1, done.stderr
    answer = json.loads(done.stdout)
    assert list(answer) == ANSWER
    assert answer["run_id"] and answer["answer"]
    assert "Traceback" not in done.stderr


def test_a_job_is_run_to_its_end(home: Path) -> None:
    done = ratchet(home, "job", "expire")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    (last, _) = json.loads(ratchet(home, "runs", "--json").stdout)
    assert (last["kind"], last["message"], last["status"]) == ("job", "expire", "succeeded")


def test_whoever_stops_reading_is_not_shouted_at(home: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f"'{RATCHET}' --help | true"],
        env=environ(home),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""


def test_the_database_is_upgraded_on_request(home: Path) -> None:
    done = ratchet(home, "db", "upgrade")
    assert done.returncode == 0, done.stderr
    assert "database" in done.stdout
