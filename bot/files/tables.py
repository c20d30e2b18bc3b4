"""Tables as text: what separates their cells, how many rows and which columns they have."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from bot.files.names import extension

_SEPARATORS = {",": "CSV", ";": "CSV, separated by semicolons", "\t": "TSV", "|": "table"}
_ENDINGS = {"csv": "", "tsv": "\t", "tab": "\t"}
_MIMES = {"text/csv": "", "text/tab-separated-values": "\t"}
_SAMPLE = 50
_MOST_NAMES, _LONGEST_NAME = 40, 40
_MOST_LINES, _LONGEST_LINE = 500_000, 200_000


@dataclass(frozen=True, slots=True)
class Table:
    """`shown` rows stand in the first `end` characters; `rows` counts those without the names, or
    as many as were counted where there are `more`."""

    label: str
    rows: int
    columns: int
    names: tuple[str, ...]
    shown: int
    end: int
    more: bool = False

    @property
    def counted(self) -> str:
        return f"more than {self.rows:,}" if self.more else f"{self.rows:,}"

    @property
    def what(self) -> str:
        rows = f"{self.counted} row{'' if self.rows == 1 else 's'}"
        columns = f"{self.columns:,} column{'' if self.columns == 1 else 's'}"
        told = f"{self.label}, {rows}, {columns}"
        if not self.names:
            return f"{told}, no line with their names"
        names = [name[:_LONGEST_NAME] or "(unnamed)" for name in self.names[:_MOST_NAMES]]
        more = " …" if len(self.names) > _MOST_NAMES else ""
        return f"{told}: {', '.join(names)}{more}"


def table_of(text: str, name: str, mime: str, limit: int) -> Table | None:
    """None where the text is no table. As many whole rows are shown as `limit` characters hold."""
    declared = extension(name) in _ENDINGS or mime in _MIMES
    first = text[:10].lower()
    # Excel writes which separator it used in a line of its own.
    lead = 6 if first.startswith("sep=") and text[4:5] in _SEPARATORS and text[5:6] == "\n" else 0
    separator = text[4] if lead else _separator(text, name, mime, declared)
    if not separator:
        return None
    for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE):
        try:
            return _measured(text, lead, separator, quoting, limit)
        except csv.Error:
            continue
    return None


def _separator(text: str, name: str, mime: str, declared: bool) -> str:
    wanted = _ENDINGS.get(extension(name)) or _MIMES.get(mime)
    if wanted:
        return wanted
    scores = {separator: _fit(text, separator) for separator in _SEPARATORS}
    best = max(scores, key=lambda s: scores[s])
    share, columns, rows = scores[best]
    if declared:
        return best if share > 0.5 and columns > 1 else ","
    # Prose has commas too: a table that nobody called one must be beyond doubt.
    return best if rows >= 3 and share == 1.0 and columns >= (3 if best == "," else 2) else ""


def _fit(text: str, separator: str) -> tuple[float, int, int]:
    """(share of the first rows that have the usual number of cells, that number, rows)."""
    sample = io.StringIO(text[:64_000], newline="")
    widths: list[int] = []
    try:
        for row in csv.reader(sample, delimiter=separator):
            if row:
                widths.append(len(row))
            if len(widths) >= _SAMPLE:
                break
    except csv.Error:
        return 0.0, 0, 0
    if not widths:
        return 0.0, 0, 0
    usual, times = Counter(widths).most_common(1)[0]
    return (times / len(widths), usual, len(widths)) if usual > 1 else (0.0, 1, len(widths))


def _measured(text: str, lead: int, separator: str, quoting: int, limit: int) -> Table:
    at, more = lead, False
    lines = io.StringIO(text, newline="")
    lines.seek(lead)

    def read() -> Iterator[str]:
        nonlocal at, more
        for number, line in enumerate(lines):
            at += len(line)
            if len(line) > _LONGEST_LINE:
                raise csv.Error("no table has such a line")
            if more := number >= _MOST_LINES:
                return
            yield line

    first: list[str] = []
    rows = shown = end = columns = 0
    reader = csv.reader(read(), delimiter=separator, quoting=quoting)  # type: ignore[arg-type]
    for row in reader:
        if row:
            rows += 1
            first = first or row
            columns = max(columns, len(row)) if rows <= 1000 else columns
        if at <= limit:
            shown, end = rows, at
    if not rows:
        raise csv.Error("no row of it is filled")
    named = _are_names(first) and rows > 1
    return Table(
        _SEPARATORS.get(separator, "table"),
        rows - named,
        columns,
        tuple(" ".join(cell.split()) for cell in first) if named else (),
        max(0, shown - named),
        end,
        more,
    )


def _are_names(cells: list[str]) -> bool:
    words = [cell.strip() for cell in cells]
    return any(words) and not any(word[:1].isdigit() or word[:1] in "+-." for word in words if word)
