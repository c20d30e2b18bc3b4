"""A markdown table as lines of equal columns, for what shows no tables: pure."""

import re
import unicodedata
from collections.abc import Sequence

_RULE = re.compile(r"\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*")
_MARKUP = re.compile(r"(\*\*|__|`)(?=\S)(.{1,300}?)(?<=\S)\1")
_WIDEST = 40
"""What is longer than this isn't made room for in the other rows."""


def begins_table(line: str, following: str) -> bool:
    """Whether a line is the head of a table, by what follows it."""
    return "|" in line and "|" in following and bool(_RULE.fullmatch(following))


def aligned(lines: Sequence[str]) -> list[str]:
    """The lines of a table, its rule among them, with every cell below its head."""
    rows = [_cells(line) for line in (lines[0], *lines[2:])]
    right = [cell.endswith(":") and not cell.startswith(":") for cell in _cells(lines[1])]
    count = max(len(row) for row in rows)
    widths = [min(_WIDEST, max(_width(_cell(row, n)) for row in rows)) for n in range(count)]
    rule = "  ".join("-" * width for width in widths)
    drawn = [_row(row, widths, right) for row in rows]
    return [drawn[0], rule, *drawn[1:]]


def _row(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    out = []
    for n, width in enumerate(widths):
        cell = _cell(row, n)
        gap = " " * (width - _width(cell))
        out.append(gap + cell if n < len(right) and right[n] else cell + gap)
    return "  ".join(out).rstrip()


def _cells(line: str) -> list[str]:
    """The cells of a row; a `\\|` is a bar that stands in one."""
    bare = re.sub(r"^\s*\||(?<!\\)\|\s*$", "", line)
    cells = re.split(r"(?<!\\)\|", bare)
    return [_MARKUP.sub(r"\2", cell.replace("\\|", "|")).strip() for cell in cells]


def _cell(row: Sequence[str], n: int) -> str:
    return row[n] if n < len(row) else ""


def _width(text: str) -> int:
    """Columns on a screen: wide characters take two, combining ones none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )
