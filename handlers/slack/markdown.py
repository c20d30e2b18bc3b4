"""CommonMark → Slack's mrkdwn, safe text, and splitting at good borders: pure."""

import re

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})([^\n`]*)$", re.MULTILINE)
_CODE = re.compile(r"(`+)(?!`)[^\n]*?(?<!`)\1(?!`)")
_ALARM = re.compile(r"<(?=!(?:channel|here|everyone|subteam|date)|@[A-Z0-9]|#[CG][A-Z0-9])")
_GAP = "\u200b"
_BOLD = "\x01"


def escape(text: str) -> str:
    """Slack's three control characters as entities: no mention or link comes out of it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def harmless(text: str) -> str:
    """Markdown in which nobody is called: `<!channel>` stays readable but pings no one."""
    return _ALARM.sub("<" + _GAP, text)


def fenced(text: str, language: str = "") -> str:
    """A code block whose content can't end it."""
    return f"```{language}\n{text.replace('```', _GAP.join('```'))}\n```"


def mrkdwn(text: str) -> str:
    """For clients and surfaces without the markdown block."""
    lines: list[str] = []
    closing = ""
    for line in text.split("\n"):
        fence = _FENCE.match(line)
        if closing:
            if fence and fence[1].startswith(closing) and not fence[2].strip():
                closing, line = "", "```"
            lines.append(escape(line))
        elif fence:
            closing = fence[1]
            lines.append("```")
        else:
            lines.append(_line(line))
    if closing:
        lines.append("```")
    return "\n".join(lines)


def _line(line: str) -> str:
    out: list[str] = []
    at = 0
    for code in _CODE.finditer(line):
        out += [_words(line[at : code.start()]), escape(code[0])]
        at = code.end()
    return _shape("".join([*out, _words(line[at:])]))


def _words(text: str) -> str:
    text = escape(text.replace(_BOLD, ""))
    text = re.sub(r"!?\[([^\[\]\n]*)\]\(((?:https?://|mailto:)[^\s()<>|]+)\)", _link, text)
    text = re.sub(r"\*\*(?=\S)([^\n]+?)(?<=\S)\*\*", rf"{_BOLD}\1{_BOLD}", text)
    text = re.sub(r"(?<![\w*])\*(?=[^\s*])([^*\n]+?)(?<=\S)\*(?![\w*])", r"_\1_", text)
    text = re.sub(r"~~(?=\S)([^\n]+?)(?<=\S)~~", r"~\1~", text)
    return text.replace(_BOLD, "*")


def _link(found: re.Match[str]) -> str:
    label = found[1].replace("|", "/").strip()
    return f"<{found[2]}|{label}>" if label else f"<{found[2]}>"


def _shape(line: str) -> str:
    if heading := re.match(r" {0,3}#{1,6}\s+(.+?)\s*#*$", line):
        return "*" + heading[1].replace("*", "") + "*"
    if line.startswith("&gt;"):
        return ">" + line.removeprefix("&gt;")
    return re.sub(r"^(\s*)[-*+]\s+", r"\1• ", line)


def split(text: str, limit: int) -> list[str]:
    """Pieces of at most `limit` characters, cut between paragraphs, lines or words where there
    is one; a code block that doesn't fit is closed and opened again. Nothing is left out."""
    pieces: list[str] = []
    rest = text.strip("\n")
    while len(rest) > limit:
        cut = _border(rest, limit - 24)
        head, rest = rest[:cut], rest[cut:]
        opened = _open_fence(head)
        if opened is None:
            rest = rest.lstrip("\n")
        elif opened.start() > limit // 3:
            rest = head[opened.start() :] + rest
            head = head[: opened.start()]
        else:
            opening = opened[0] if len(opened[0]) <= 40 else opened[1]
            head = head.rstrip("\n") + "\n" + opened[1][:20]
            rest = f"{opening}\n{rest.removeprefix(chr(10))}"
        pieces.append(head.rstrip("\n") if opened is None else head.strip("\n"))
    return [piece for piece in (*pieces, rest) if piece.strip()]


def _border(text: str, room: int) -> int:
    for border in ("\n\n", "\n", ". ", " "):
        at = text.rfind(border, room // 2, room)
        if at > 0:
            return at + len(border) if border == ". " else at
    return room


def _open_fence(text: str) -> re.Match[str] | None:
    opened: re.Match[str] | None = None
    for fence in _FENCE.finditer(text):
        if opened is None:
            opened = fence
        elif fence[1].startswith(opened[1]) and not fence[2].strip():
            opened = None
    return opened
