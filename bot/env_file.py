"""`.env`: NAME=value by the line."""

from io import StringIO
from pathlib import Path

from dotenv.parser import parse_stream


def read(path: Path) -> tuple[dict[str, str], dict[str, int], list[str]]:
    """(values, the line of each, what is wrong); nothing where there is no file."""
    if not path.is_file():
        return {}, {}, []
    values: dict[str, str] = {}
    lines: dict[str, int] = {}
    faults: list[str] = []
    try:
        content = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        return {}, {}, [f"{path}: can't be read: {error.strerror or error}"]
    for binding in parse_stream(StringIO(content)):
        text = binding.original.string
        line = binding.original.line + len(text) - len(text.lstrip("\n"))
        if binding.error or (binding.key and binding.value is None):
            faults.append(f"{path}, line {line}: not of the form NAME=value")
        elif binding.key:
            values[binding.key] = binding.value or ""
            lines[binding.key] = line
    return values, lines, faults
