"""A line that a data folder wants shown above whatever is shown of it: that it is made up, say."""

from contextlib import suppress
from pathlib import Path

from bot.model.words import one_line

_FILE, _LONGEST = "notice.txt", 80


def put(home: Path, said: str) -> None:
    (home / _FILE).write_text(said + "\n", "utf-8")


def written(home: Path) -> str:
    """ "" where there is none."""
    with suppress(OSError, UnicodeDecodeError):
        return one_line((home / _FILE).read_text("utf-8"), _LONGEST)
    return ""
