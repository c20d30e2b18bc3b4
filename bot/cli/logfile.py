"""Where the log of a command goes."""

from bot import logs
from bot.config import Settings
from bot.redaction import Redactor


def to_log(settings: Settings, *, to_stderr: bool) -> None:
    """Sends this process's log to the data folder, and all of it to stderr too if asked."""
    redactor = Redactor(emails=settings.redact_email)
    logs.set_up(settings.home, settings.log_level, redactor, to_stderr=to_stderr)
