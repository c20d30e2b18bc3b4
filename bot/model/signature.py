"""What errors have in common: a message without what differs from one time to the next; pure."""

import re

from bot.model.words import one_line

_VARIES = (
    (re.compile(r"(?i)\b[0-9a-f]{8}-[0-9a-f-]{27,}\b"), "<id>"),
    (re.compile(r"https?://\S+"), "<url>"),
    (re.compile(r"(?i)\b(?:0x)?[0-9a-f]*\d[0-9a-f]{7,}\b"), "<id>"),
    (re.compile(r"(?:/[\w.-]+){2,}"), "<path>"),
    (re.compile(r"\"[^\"]{0,200}\"|'[^']{0,200}'|`[^`]{0,200}`"), "<text>"),
    (re.compile(r"\d+(?:[.,:]\d+)*"), "<n>"),
)


def signature(message: str) -> str:
    """The message without what differs from one time to the next."""
    text = one_line(message, 1000)
    for pattern, name in _VARIES:
        text = pattern.sub(name, text)
    return text.casefold()[:300]
