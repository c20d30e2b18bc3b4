"""Telegram's HTML parse mode: text with a few balanced tags, or an error in its own words."""

import re
from html import unescape

_TAGS = {"b", "strong", "i", "em", "u", "s", "del", "code", "pre", "a", "blockquote", "tg-spoiler"}
_TOKEN = re.compile(r"<[^>]*>?|&[^;\s]*;?|[^<&]+")
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|#\d+|#x[0-9a-fA-F]+);")


class CantParse(ValueError):
    pass


def parse(html: str) -> str:
    """The text that people see. Raises CantParse."""
    opened: list[str] = []
    text: list[str] = []
    for token in _TOKEN.findall(html):
        if token.startswith("&"):
            if not _ENTITY.fullmatch(token):
                raise CantParse(f"can't parse entities: unknown entity {token}")
            text.append(unescape(token))
        elif token.startswith("<"):
            _tag(token, opened)
        else:
            text.append(token)
    if opened:
        raise CantParse(f"can't parse entities: Can't find end tag corresponding to {opened[-1]}")
    return "".join(text).strip()


def _tag(token: str, opened: list[str]) -> None:
    match = re.fullmatch(r"<(/?)([a-z-]+)((?: [a-z-]+=\"[^\"<>]*\")*)>", token)
    if match is None or match[2] not in _TAGS:
        raise CantParse(f"can't parse entities: Unsupported start tag {token!r}")
    if not match[1]:
        if match[2] == "blockquote" and "blockquote" in opened:
            raise CantParse("can't parse entities: nested blockquote")
        opened.append(match[2])
    elif not opened or opened.pop() != match[2]:
        raise CantParse(f"can't parse entities: Unmatched end tag {token!r}")
