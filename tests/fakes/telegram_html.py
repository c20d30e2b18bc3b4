"""Telegram's HTML parse mode: text with a few balanced tags, or an error in its own words."""

import re
from dataclasses import dataclass
from html import unescape

_TAGS = {"b", "strong", "i", "em", "u", "s", "del", "code", "pre", "a", "blockquote", "tg-spoiler"}
_CODE = {"code", "pre"}
_TOKEN = re.compile(r"<[^>]*>?|&[^;\s]*;?|[^<&]+")
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|#\d+|#x[0-9a-fA-F]+);")
_LANGUAGE = re.compile(r"language-[^\"\s<>]{1,60}")
_LINK = re.compile(r"(?:https?|tg|mailto|ftp):\S+")


class CantParse(ValueError):
    pass


@dataclass(frozen=True)
class Entity:
    """`url` is a link's target, or the language of code."""

    tag: str
    text: str
    url: str = ""


@dataclass
class _Open:
    tag: str
    start: int
    url: str


def parse(html: str) -> str:
    """The text that people see. Raises CantParse."""
    return read(html)[0].strip()


def read(html: str) -> tuple[str, list[Entity]]:
    """The text, and what is marked in it. Raises CantParse."""
    opened: list[_Open] = []
    text = ""
    entities: list[Entity] = []
    for token in _TOKEN.findall(html):
        if token.startswith("&"):
            if not _ENTITY.fullmatch(token):
                raise CantParse(f"can't parse entities: unknown entity {token}")
            text += unescape(token)
        elif token.startswith("</"):
            entities += _close(token, opened, text)
        elif token.startswith("<"):
            opened.append(_opening(token, opened, len(text)))
        else:
            text += token
    if opened:
        raise CantParse(
            f"can't parse entities: Can't find end tag corresponding to {opened[-1].tag}"
        )
    return text, entities


def _opening(token: str, opened: list[_Open], at: int) -> _Open:
    match = re.fullmatch(r"<([a-z-]+)((?: [a-z-]+=\"[^\"<>]*\")*)>", token)
    if match is None or match[1] not in _TAGS:
        raise CantParse(f"can't parse entities: Unsupported start tag {token!r}")
    tag, around = match[1], [o.tag for o in opened]
    attributes = dict(re.findall(r" ([a-z-]+)=\"([^\"]*)\"", match[2]))
    _check_nesting(tag, around, at - opened[-1].start if opened else 0)
    if tag == "a":
        url = unescape(attributes.pop("href", ""))
        if not _LINK.fullmatch(url):
            raise CantParse(f"can't parse entities: a link to nowhere {token!r}")
    else:
        url = attributes.pop("class", "") if tag == "code" and around[-1:] == ["pre"] else ""
        if url and not _LANGUAGE.fullmatch(url):
            raise CantParse(f"can't parse entities: no language {token!r}")
    if attributes:
        raise CantParse(f"can't parse entities: Unsupported attribute in {token!r}")
    return _Open(tag, at, url)


def _check_nesting(tag: str, around: list[str], inside_at: int) -> None:
    """Code is part of nothing and contains nothing, but for the language of a block."""
    if tag == "code" and around[-1:] == ["pre"] and inside_at == 0:
        return
    if _CODE & set(around):
        raise CantParse(f"can't parse entities: {tag} inside of code")
    if tag in _CODE and set(around) - {"blockquote"}:
        raise CantParse(f"can't parse entities: {tag} is part of {around}")
    if tag in ("blockquote", "a") and tag in around:
        raise CantParse(f"can't parse entities: nested {tag}")


def _close(token: str, opened: list[_Open], text: str) -> list[Entity]:
    match = re.fullmatch(r"</([a-z-]+)>", token)
    if match is None or not opened or opened[-1].tag != match[1]:
        raise CantParse(f"can't parse entities: Unmatched end tag {token!r}")
    ended = opened.pop()
    return [Entity(ended.tag, text[ended.start :], ended.url)]
