"""CommonMark → Slack's mrkdwn, and safe text: pure."""

import re

from handlers.slack.grid import aligned, begins_table
from handlers.slack.inline import GAP, escape, inline, unfenced

__all__ = ["escape", "fenced", "harmless", "mrkdwn"]

FENCE = re.compile(r"^ {0,12}(`{3,20}(?!`)|~{3,20}(?!~))([^\n`]*)$", re.MULTILINE)
_ALARM = re.compile(r"<(?=!(?:channel|here|everyone|group|subteam|date)|@[A-Z0-9]|#[CG][A-Z0-9])")
_LANGUAGE = re.compile(r"[\w+#.-]{0,20}")
_QUOTE = re.compile(r" {0,3}>(?:\s{0,3}>)*\s?")
_RULE = re.compile(r" {0,3}([-*_])(?:\s*\1){2,}\s*")
_HEADING = re.compile(r" {0,3}#{1,6}\s+(.+)")
_BULLET = re.compile(r"(\s*)[-*+]\s+(?:\[([ xX])\]\s+)?")
_BOXES = {"": "• ", " ": "☐ ", "x": "☑ "}


def harmless(text: str) -> str:
    """Markdown in which nobody is called: `<!channel>` stays readable but pings no one."""
    return _ALARM.sub("<" + GAP, text)


def fenced(text: str, language: str = "") -> str:
    """A code block whose content can't end it."""
    return f"```{language}\n{unfenced(text)}\n```"


def mrkdwn(text: str) -> str:
    """For clients and surfaces without the markdown block."""
    lines, out = text.split("\n"), list[str]()
    closing, at = "", 0
    while at < len(lines):
        line = lines[at]
        fence = FENCE.match(line)
        if closing:
            if fence and fence[1].startswith(closing) and not fence[2].strip():
                closing = ""
                out.append("```")
            else:
                out.append(escape(unfenced(line)))
        elif fence:
            closing, info = fence[1], fence[2].strip()
            out.append("```")
            if not _LANGUAGE.fullmatch(info):
                out.append(escape(info))
        elif at + 1 < len(lines) and begins_table(line, lines[at + 1]):
            end = _table_end(lines, at)
            out.append(escape(fenced("\n".join(aligned(lines[at:end])))))
            at = end - 1
        else:
            out.append(_line(line))
        at += 1
    if closing:
        out.append("```")
    return "\n".join(out)


def _table_end(lines: list[str], start: int) -> int:
    end = start + 2
    while end < len(lines) and "|" in lines[end] and not FENCE.match(lines[end]):
        end += 1
    return end


def _line(line: str) -> str:
    if _RULE.fullmatch(line):
        return escape(line)
    if quote := _QUOTE.match(line):
        return f"> {_line(line[quote.end() :])}".rstrip()
    if heading := _HEADING.match(line):
        words = re.sub(r"\s+#+\s*$", "", heading[1]).strip()
        return f"*{inline(words, strong=False)}*" if words.strip("#") else escape(line)
    if bullet := _BULLET.match(line):
        box = _BOXES[(bullet[2] or "").lower()]
        return bullet[1] + box + inline(line[bullet.end() :])
    return inline(line)
