"""Logs: one JSON object a line in the home folder, warnings also where the program was started."""

import logging
import logging.handlers
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import structlog

from bot.redaction import Redactor

_BYTES, _FILES = 10_000_000, 5
_QUIET = (
    "httpx",
    "httpx2",
    "aiohttp",
    "slack_bolt",
    "slack_sdk",
    "telegram",
    "apscheduler",
    "dbos",
    "uvicorn",
    "openai",
    "aiosqlite",
    "filelock",
    "matplotlib",
    "PIL",
    "alembic",
    "asyncio",
)


def set_up(home: Path, level: str, redactor: Redactor, *, to_stderr: bool) -> Path:
    """Sends every log line to `logs/ratchet.log` in `home`, rotated, redacted; returns its path.

    `to_stderr` shows all lines there too (a service's log); otherwise only warnings are shown.
    A file that can't be written is said and done without.
    """
    path = home / "logs" / "ratchet.log"

    def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {name: redactor.value(value) for name, value in event.items()}

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    screen = logging.StreamHandler(sys.stderr)
    screen.setFormatter(_formatter(shared, structlog.dev.ConsoleRenderer(colors=False)))
    screen.setLevel(level.upper() if to_stderr else "WARNING")
    root = logging.getLogger()
    for handler in root.handlers[:]:
        root.removeHandler(handler)
    root.addHandler(screen)
    root.setLevel(level.upper())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = logging.handlers.RotatingFileHandler(path, maxBytes=_BYTES, backupCount=_FILES)
    except OSError as error:
        structlog.get_logger().warning("log_file_unusable", path=str(path), cause=str(error))
    else:
        file.setFormatter(_formatter(shared, structlog.processors.JSONRenderer()))
        root.addHandler(file)
    for name in _QUIET:
        logging.getLogger(name).setLevel("WARNING")
    return path


def _formatter(shared: list[Any], renderer: Any) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
