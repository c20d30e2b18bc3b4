"""File names that can be shown, stored and saved anywhere."""

import re
import unicodedata

_LONGEST = 80
_UNSAFE = re.compile(r'[\\/:*?"<>|`\[\]{}$%&;]+')


def safe(name: str) -> str:
    """The last part of a path in one printable line; "file" where nothing is left of it."""
    name = unicodedata.normalize("NFC", name).replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    # Categories C and Z hold what breaks lines, turns the direction of writing or can't be seen.
    shown = "".join(c if unicodedata.category(c)[0] not in "CZ" else " " for c in name)
    name = " ".join(_UNSAFE.sub("_", shown).split()).strip(". ")
    stem, dot, end = name.rpartition(".")
    if dot and stem and len(end) <= 10:
        return f"{stem[: _LONGEST - len(end) - 1]}.{end}"
    return name[:_LONGEST] or "file"


def extension(name: str) -> str:
    """In lower case, without its dot; "" where there is none."""
    stem, dot, end = name.rpartition(".")
    return end.lower() if dot and stem and end.isalnum() else ""


def size(count: int) -> str:
    """A number of bytes as people read it."""
    if count < 1000:
        return f"{count} B"
    if count < 1_000_000:
        return f"{count / 1000:.0f} kB"
    return f"{count / 1_000_000:.1f} MB"
