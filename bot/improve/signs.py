"""What shows that a request wasn't served: an answer that says no, names that nobody has; pure."""

import re
from collections.abc import Collection, Sequence
from difflib import get_close_matches

CANNOT, TOOL, FILE, HANDED_ON, REPHRASED = "cannot", "tool", "file", "handed on", "rephrased"
NAME, COMMAND = "unknown name", "unknown command"

NAMED = re.compile(r"[a-z][a-z0-9_.-]{0,39}\Z", re.ASCII)
"""What a tool, an agent or a command can be called."""
MENTION = re.compile(r"\s*@([a-z][a-z0-9_-]*)\b", re.IGNORECASE)
_SAYS_NO = re.compile(
    r"\b(?:i can(?:'t|not| not)|i(?:'m| am) (?:not able|unable) to"
    r"|i (?:don't|do not) have (?:access|a tool|the ability|any way)|i have no (?:access|tool|way)"
    r"|beyond what i can|ich kann (?:das |dir |ihnen )?(?:leider )?nicht|ich habe keinen zugriff"
    r"|je ne peux pas|je n'ai pas acc[eè]s|no puedo|no tengo acceso)\b"
)
# One of these stands in whatever says no: most answers need no closer look.
_NO = (
    "can't",
    "cannot",
    "can not",
    "not able",
    "unable",
    "have ",
    "beyond",
    "kann",
    "habe",
    "pas",
    "no ",
)
_NO_MODEL = "No language model is connected"


def unknown_tools(steps: Sequence[tuple[str, str]], granted: Collection[str]) -> list[str]:
    """Tools that were asked for and that there are none of, by a name that a tool could have."""
    failed = {name[:-1] for kind, name in steps if kind == "tool" and name.endswith("!")}
    return sorted(name for name in failed if name not in granted and NAMED.match(name))[:2]


def unknown_name(message: str, crew: Collection[str]) -> str:
    """Whom it calls, where nobody here has that name or one like it; "" for nobody."""
    if "@" not in message[:8] or not crew:
        return ""
    called = MENTION.match(message)
    name = called[1].lower() if called else ""
    if not NAMED.match(name) or name in crew or get_close_matches(name, crew, 1):
        return ""
    return name


def says_no(answer: str) -> bool:
    if answer.startswith(_NO_MODEL):  # that is one gap, and it is told at every start
        return False
    low = answer.replace("\u2019", "'").lower()
    return any(hint in low for hint in _NO) and _SAYS_NO.search(low) is not None
