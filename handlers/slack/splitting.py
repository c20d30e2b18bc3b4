"""Long text in pieces, cut at good borders: pure."""

import re
import unicodedata
from dataclasses import dataclass

from handlers.slack.grid import begins_table
from handlers.slack.markdown import FENCE

_SPARE = 64
"""Characters kept free for what closes a code block."""
_HALF = re.compile(r"&[a-zA-Z#0-9]{0,8}$|<[^<>\n]{0,400}$|\\$")
"""What must not be parted: an entity, a link, an escape."""


@dataclass(frozen=True, slots=True)
class _Inside:
    """What a cut goes through: it begins at `start`; a piece that ends in it gets `closing`, and
    the next one begins with `opening`."""

    start: int
    closing: str
    opening: str


def split(text: str, limit: int) -> list[str]:
    """Pieces of at most `limit` characters, cut between paragraphs, lines or words where there
    is one. A code block that doesn't fit is closed and opened again, a table gets its head again.
    Nothing is left out."""
    pieces: list[str] = []
    rest = text.strip("\n")
    while len(rest) > limit:
        cut = _border(rest, limit - _SPARE)
        inside = _fence(rest[:cut], limit) or _table(rest, cut, limit)
        if inside is None:
            head, rest = rest[:cut].rstrip("\n"), rest[cut:].lstrip("\n")
        elif inside.start > limit // 3:
            head, rest = rest[: inside.start].strip("\n"), rest[inside.start :]
        else:
            head = rest[:cut].rstrip("\n").lstrip("\n") + inside.closing
            rest = inside.opening + rest[cut:].removeprefix("\n")
        pieces.append(head)
    return [piece for piece in (*pieces, rest) if piece.strip()]


def _border(text: str, room: int) -> int:
    for border in ("\n\n", "\n", ". ", " "):
        at = text.rfind(border, room // 2, room)
        if at > 0:
            return _whole(text, at + len(border) if border == ". " else at)
    return _whole(text, room)


def _whole(text: str, cut: int) -> int:
    """Not in the middle of what is one to Slack or to the eye."""
    half = _HALF.search(text, max(0, cut - 410), cut)
    at = half.start() if half else cut
    while at > cut - 410 and at > 1 and _joins(text[at - 1], text[at : at + 1]):
        at -= 1
    return at if at > 1 else cut


def _joins(before: str, after: str) -> bool:
    """Whether two characters are shown as one."""
    if "\u200d" in (before, after):
        return True
    skin = "\U0001f3fb" <= after <= "\U0001f3ff"
    return skin or after in ("\ufe0e", "\ufe0f") or bool(after and unicodedata.combining(after))


def _fence(head: str, limit: int) -> _Inside | None:
    """The code block that is open at the end."""
    opened: re.Match[str] | None = None
    for fence in FENCE.finditer(head):
        if opened is None:
            opened = fence
        elif fence[1].startswith(opened[1]) and not fence[2].strip():
            opened = None
    if opened is None:
        return None
    opening = opened[0].strip() if len(opened[0]) <= 40 else opened[1]
    return _Inside(opened.start(), f"\n{opened[1]}", f"{opening}\n")


def _table(text: str, cut: int, limit: int) -> _Inside | None:
    """The table that goes on behind the cut, which is at the end of a line."""
    if text[cut : cut + 1] != "\n" or "|" not in text[cut + 1 :].partition("\n")[0]:
        return None
    lines, at = text[:cut].split("\n"), cut
    for n in range(len(lines) - 1, -1, -1):
        at -= len(lines[n]) + 1
        if "|" not in lines[n]:
            return None
        following = lines[n + 1] if n + 1 < len(lines) else ""
        if begins_table(lines[n], following):
            header = f"{lines[n]}\n{following}\n"
            if n + 2 >= len(lines) or len(header) > limit // 4:
                return None
            return _Inside(at + 1, "", header)
    return None
