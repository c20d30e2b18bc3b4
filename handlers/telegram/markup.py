"""CommonMark → the few HTML tags that Telegram knows."""

import re
from collections.abc import Sequence
from html import escape

from markdown_it import MarkdownIt
from markdown_it.token import Token

_PARSER = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_TAGS = {"strong": "b", "em": "i", "s": "s"}
_LINKS = ("http://", "https://", "mailto:")
"""Not tg://: with it a text could ring somebody's phone."""
_LONGEST_LINK = 2_000
_EMPTY = re.compile(r"<([bis])></\1>|<a [^>]*></a>")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_LANGUAGE = re.compile(r"[\w+#.-]{1,40}")


def clean(text: str) -> str:
    """Without what no platform can show: control characters and halves of UTF-16 pairs."""
    return _UNPRINTABLE.sub("", text)


def to_html(markdown: str) -> str:
    """HTML of b, i, s, code, pre, a and blockquote only, balanced, everything else escaped."""
    return _blocks(_PARSER.parse(clean(markdown))).strip("\n")


def _blocks(tokens: Sequence[Token]) -> str:
    out: list[str] = []
    at = 0
    while at < len(tokens):
        end = _end(tokens, at)
        out.append(_block(tokens[at], tokens[at + 1 : end]))
        at = end + 1
    return "\n\n".join(block for block in out if block)


def _end(tokens: Sequence[Token], at: int) -> int:
    """The index of the token that closes the one at `at`, or `at` where nothing does."""
    if tokens[at].nesting != 1:
        return at
    depth = 0
    for i in range(at, len(tokens)):
        depth += tokens[i].nesting
        if depth == 0:
            return i
    return len(tokens) - 1


def _block(token: Token, inside: Sequence[Token]) -> str:
    match token.type:
        case "paragraph_open":
            return _inline(inside[0].children or ())
        case "heading_open":
            return _heading(_inline(inside[0].children or ()))
        case "fence" | "code_block":
            return _code(token)
        case "bullet_list_open" | "ordered_list_open":
            return _list(token, inside)
        case "blockquote_open":
            return _quote(_blocks(inside))
        case "table_open":
            return _table(inside)
        case "hr":
            return "———"
        case _:
            return escape(token.content, quote=False)


def _heading(html: str) -> str:
    outside = re.split(r"(<code>.*?</code>)", html, flags=re.DOTALL)
    return "".join(
        piece if piece.startswith("<code>") or not piece else f"<b>{piece}</b>" for piece in outside
    )


def _quote(html: str) -> str:
    # Telegram refuses a quote inside a quote
    return f"<blockquote>{re.sub('</?blockquote>', '', html)}</blockquote>" if html else ""


def _code(token: Token) -> str:
    content = escape(token.content.rstrip("\n"), quote=False)
    language = _LANGUAGE.match(token.info.strip())
    if language:
        return f'<pre><code class="language-{language.group()}">{content}</code></pre>'
    return f"<pre>{content}</pre>" if content else ""


def _list(token: Token, inside: Sequence[Token]) -> str:
    number = int(token.attrGet("start") or 1) if token.type == "ordered_list_open" else None
    lines: list[str] = []
    at = 0
    while at < len(inside):
        end = _end(inside, at)
        mark = "•" if number is None else f"{number}."
        lines.append(f"{mark} {_item(inside[at + 1 : end])}")
        number = None if number is None else number + 1
        at = end + 1
    return "\n".join(lines)


def _item(tokens: Sequence[Token]) -> str:
    """An item's blocks; what follows the first line is indented, code is left as it is."""
    html = re.sub(r"\n\n(?=\s*(?:•|\d+\.) )", "\n", _blocks(tokens))
    pieces = re.split(r"(<pre>.*?</pre>)", html, flags=re.DOTALL)
    return "".join(p if p.startswith("<pre>") else p.replace("\n", "\n  ") for p in pieces)


def _table(inside: Sequence[Token]) -> str:
    rows: list[list[str]] = []
    for token in inside:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(_text(token.children or ()))
    widths = [max(len(row[i]) for row in rows if i < len(row)) for i in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip()
        for row in rows
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return f"<pre>{escape(chr(10).join(lines), quote=False)}</pre>"


def _text(tokens: Sequence[Token]) -> str:
    return "".join(" " if t.type.endswith("break") else t.content for t in tokens)


def _inline(tokens: Sequence[Token]) -> str:
    out: list[str] = []
    opened: list[str] = []
    links: list[bool] = []
    for token in tokens:
        kind = token.type.removesuffix("_open").removesuffix("_close")
        if kind in _TAGS:
            out.append(_tag(_TAGS[kind], token.nesting, opened))
        elif kind == "link":
            out.append(_link(token, links))
        elif kind in ("softbreak", "hardbreak"):
            out.append("\n")
        elif kind == "code_inline" and not any(links):
            out.append(_code_inline(token, opened))
        else:
            out.append(escape(token.content, quote=False))
    return _without_empty("".join(out))


def _without_empty(html: str) -> str:
    while (less := _EMPTY.sub("", html)) != html:
        html = less
    return html


def _tag(name: str, nesting: int, opened: list[str]) -> str:
    if nesting < 0:
        opened.pop()
        return f"</{name}>"
    opened.append(name)
    return f"<{name}>"


def _code_inline(token: Token, opened: Sequence[str]) -> str:
    # Telegram lets code be part of nothing else: what is open is closed around it
    before = "".join(f"</{name}>" for name in reversed(opened))
    after = "".join(f"<{name}>" for name in opened)
    return f"{before}<code>{escape(token.content, quote=False)}</code>{after}"


def _link(token: Token, links: list[bool]) -> str:
    if token.nesting < 0:
        return "</a>" if links.pop() else ""
    href = str(token.attrGet("href") or "")
    links.append(href.startswith(_LINKS) and len(href) <= _LONGEST_LINK)
    return f'<a href="{escape(href)}">' if links[-1] else ""
