"""The log: redacted in the file, and no reason not to run."""

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from bot import logs
from bot.redaction import Redactor
from tests.architecture.source import product


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Logging belongs to the whole process: other tests get it back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    for handler in [h for h in root.handlers if h not in handlers]:
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_secrets_of_any_logger_stay_out_of_the_file(tmp_path: Path) -> None:
    path = logs.set_up(tmp_path, "info", Redactor(), to_stderr=False)
    structlog.get_logger().info("asked", token="xoxb-1234567890-abcdefghijklmnop", said="fine")
    logging.getLogger("library").info("key sk-proj-abcdefghijklmnop1234567890")
    structlog.get_logger().info("line\nbreak")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(lines) == 3 and lines[0]["said"] == "fine"
    assert "abcdefghijklmnop" not in path.read_text()


def test_only_other_programs_are_quiet(tmp_path: Path) -> None:
    """A logger of ours that bears a library's name would be quiet with it."""
    logs.set_up(tmp_path, "debug", Redactor(), to_stderr=False)
    for source in product():
        for name in re.findall(r'get_logger\("([\w.]+)"\)', source.text):
            assert logging.getLogger(name).isEnabledFor(logging.INFO), source.name
    assert not logging.getLogger("aiosqlite").isEnabledFor(logging.INFO)


@pytest.mark.parametrize("blocked", ["logs", "logs/ratchet.log"])
def test_a_log_file_that_cannot_be_written_is_said_and_done_without(
    tmp_path: Path, blocked: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if blocked == "logs":
        (tmp_path / "logs").touch()
    else:
        (tmp_path / blocked).mkdir(parents=True)
    logs.set_up(tmp_path, "info", Redactor(), to_stderr=False)
    structlog.get_logger().warning("still heard")
    told = capsys.readouterr().err
    assert "log_file_unusable" in told and "still heard" in told
