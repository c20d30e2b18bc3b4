"""Slack's message text as a person reads it, and which of it is a command: pure."""

import re
from collections.abc import Collection

_TOKEN = re.compile(r"<([^<>\n]+)>")
_COMMAND = re.compile(r"[!/]([A-Za-z][\w-]*)(?:\s+(.*))?", re.DOTALL)
_WORD = re.compile(r"([A-Za-z][\w-]*)[:,]?(?:\s+(.*))?", re.DOTALL)

_REF = r"P\d+\b.*"
_RUN = r"(?=[0-9a-f-]*\d)[0-9a-f-]{8,36}"
_BARE = {
    "better": r".+",
    "save-workflow": r".+",
    "remember": r".+",
    "approve": _REF,
    "decline": _REF,
    "edit": _REF,
    "rollback": _REF,
    "run": _RUN,
    "why": _RUN,
    "metrics": r"[\w-]+(\s+\d+)?(\s+share)?",
    "help": r"[\w-]+",
    "forget": r"M\d+",
    "proposals": r"(P\d+|offered|approved|declined|expired|rolled-back)",
    "runs": r"(all|requests|commands|jobs)",
    "agents": r"[\w-]+",
    "budget": r"set\s.+",
    "rate": r"(up|down)",
    "digest": r"(daily|weekly|now|off)(,?\s+(daily|weekly|me|here|always|utc|\w+/[\w/+-]+|"
    r"(on|at|zone)\s+[\w:/+-]+))*",
    "jobs": r"(list|(pause|resume|run)\s+[\w-]+)",
    "link": r"(list|[A-Z0-9]{4}-?[A-Z0-9]{4})",
    "unlink": r"(slack|telegram|whatsapp|local|web):\S+",
    "policy": r"(yaml|history|restore\s+\d+|set\s.+)",
}
"""What may follow a command's word where no "!" marks it. Anything else after these words, and
any word at all after the others, is ordinary language: "why did sales drop" is a question."""


def readable(text: str) -> str:
    """Mentions, channels, links and entities as plain text."""
    plain = _TOKEN.sub(lambda found: _token(found[1]), text)
    return plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()


def _token(inner: str) -> str:
    target, _, label = inner.partition("|")
    kind, rest = target[0], target[1:]
    if kind == "@":
        return "@" + (label or rest)
    if kind == "#":
        return "#" + (label or rest)
    if kind == "!":
        return label or "@" + rest.split("^")[0]
    if target.startswith(("mailto:", "tel:")):
        return label or target.split(":", 1)[1]
    if not re.match(r"[a-z][a-z0-9+.-]*:", target, re.IGNORECASE):
        return f"<{inner}>"
    return target if not label or label in target else f"{label} ({target})"


def without_mention(text: str, user_id: str) -> tuple[str, bool, bool]:
    """The text without mentions of `user_id`; whether there was one; whether it came first."""
    mention = re.compile(rf"<@{re.escape(user_id)}(?:\|[^<>\n]*)?>[ \t]*[:,]?[ \t]*")
    first = mention.match(text.lstrip()) is not None
    rest, count = mention.subn("", text)
    return rest.strip(), bool(count), first


def as_command(text: str, names: Collection[str], *, bare: bool = False) -> str:
    """ "!better x" (with `bare` also "better x") → "/better x" for a known name; else unchanged."""
    if found := _COMMAND.fullmatch(text):
        name = _name(found[1])
        return f"/{name} {found[2] or ''}".strip() if name in names else text
    if bare and (found := _WORD.fullmatch(text)):
        name, rest = _name(found[1]), (found[2] or "").strip()
        fits = not rest or re.fullmatch(_BARE.get(name, ""), rest, re.IGNORECASE | re.DOTALL)
        if name in names and fits:
            return f"/{name} {rest}".strip()
    return text


def is_known(text: str, names: Collection[str]) -> bool:
    """Whether the text is a marked command that exists."""
    found = _COMMAND.fullmatch(text)
    return found is not None and _name(found[1]) in names


def _name(word: str) -> str:
    return word.lower().replace("_", "-")
