"""docs/benchmarks.md: made of parts that are measured apart, each replacing its own alone."""

from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
LOOP = "\n## The loop\n"
"""Where the loop's part begins; it goes on to the end."""


def put_first(text: str, page: Path = PAGE) -> None:
    """What stands before the loop's part."""
    _, mark, loop = _read(page).partition(LOOP)
    page.write_text(f"{text.rstrip()}\n{mark}{loop}", "utf-8")


def put_loop(text: str, page: Path = PAGE) -> None:
    """The loop's part, without its heading."""
    first = _read(page).partition(LOOP)[0]
    page.write_text(f"{first.rstrip()}\n{LOOP}\n{text.strip()}\n", "utf-8")


def _read(page: Path) -> str:
    return page.read_text("utf-8") if page.exists() else ""
