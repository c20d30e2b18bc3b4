"""From bytes to text, whatever encoding they are in; None for what is no text."""

import codecs

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    # Before UTF-16: its mark begins the same way.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS = bytes(n for n in range(32) if chr(n) not in "\t\n\r\f\x1b") + b"\x7f"
_BEARABLE = 200
"""One control character among so many others is an accident, more are no text."""


def decoded(content: bytes) -> str | None:
    """With lines that end in a newline, and without what no text holds."""
    text = _decoded(content)
    if text is None or not _is_text(text):
        return None
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def _decoded(content: bytes) -> str | None:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    if encoding := _unmarked_utf16(content):
        return content.decode(encoding, "replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        if 0 in content:
            return None
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _unmarked_utf16(content: bytes) -> str:
    """Text of the Latin scripts in UTF-16 has a zero in every other byte."""
    start = content[:4096]
    if len(start) < 4 or len(content) % 2:
        return ""
    half = len(start) // 2
    even, odd = start[0::2].count(0), start[1::2].count(0)
    if odd > half * 0.6 and even < half * 0.1:
        return "utf-16-le"
    return "utf-16-be" if even > half * 0.6 and odd < half * 0.1 else ""


def _is_text(text: str) -> bool:
    plain = text.encode("utf-8", "replace")
    strange = len(plain) - len(plain.translate(None, _CONTROLS)) + text.count("\ufffd") * 5
    return strange * _BEARABLE <= len(plain)
