"""How numbers, times and texts are said, the same everywhere; pure."""

import re
from datetime import UTC, datetime

# Control and formatting characters: they could hide a text's end or turn its direction.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)

_CONTEXT = re.compile(r'\AAsked "[^"]*": ')


def usd(amount: float | None) -> str:
    """ "$0.0021", "$2.50"; None is "unknown", never 0."""
    if amount is None:
        return "unknown"
    if 0 < amount < 0.00005:
        return "<$0.0001"
    whole_cents = abs(amount - round(amount, 2)) < 5e-7
    return f"${amount:,.2f}" if amount >= 1 or whole_cents else f"${amount:.4f}"


def duration(ms: float | None) -> str:
    if ms is None:
        return "-"
    if ms < 1000:
        return f"{ms:.0f} ms"
    return f"{ms / 1000:.1f} s" if ms < 60_000 else f"{ms / 60_000:.1f} min"


def share(part: float, whole: float) -> str:
    return f"{part / whole:.0%}" if whole else "-"


def when(ms: int) -> str:
    """ "2026-11-20 22:15 UTC"; 0 is never."""
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M} UTC" if ms else "never"


def ago(ms: int, now: int) -> str:
    seconds = max(0, now - ms) // 1000
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return "just now"


def one_line(text: str, limit: int) -> str:
    """Visible characters on one line, at most `limit` of them."""
    flat = " ".join(_UNSEEN.sub(" ", text).split())
    return flat if len(flat) <= limit else f"{flat[: limit - 1].rstrip()}…"


def without_context(text: str) -> str:
    """What was said, without the question that it is kept together with."""
    return _CONTEXT.sub("", text)


def count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
