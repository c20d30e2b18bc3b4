"""A runbook's own check: a few conditions that a program can hold an answer against; pure."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

_SECTION = re.compile(r"(?ims)^##[ \t]+Check[ \t]*$\n?(.*?)(?=^##[ \t]|\Z)")
_LINE = re.compile(r"[ \t]*[-*][ \t]+([a-z ]{2,20}?)[ \t]*:[ \t]*(\S.*?)[ \t]*\Z", re.IGNORECASE)
_SIZE = re.compile(r"(\d{1,6})[ \t]+(word|character|line)s?\Z", re.IGNORECASE)
_MOST, _LONGEST = 20, 200


@dataclass(frozen=True, slots=True)
class Condition:
    """`kind` is one of `KINDS`, `value` what stands behind it."""

    kind: str
    value: str


def parse(markdown: str) -> tuple[Condition, ...]:
    """What stands under "## Check", a condition a line ("- contains: refund"); a line that is none
    is left out, and `faults` says so."""
    return tuple(c for line in _lines(markdown) if (c := _condition(line)) is not None)


def faults(markdown: str) -> list[str]:
    """Lines under "## Check" that check nothing."""
    return [line for line in _lines(markdown) if _condition(line) is None]


def passes(conditions: Sequence[Condition], answer: str, tools: Collection[str]) -> bool:
    """Whether the answer meets all of them; `tools` are the names of those that were called."""
    return all(_TESTS[c.kind](c.value, answer, tools) for c in conditions)


def _lines(markdown: str) -> list[str]:
    section = _SECTION.search(markdown)
    lines = section[1].splitlines() if section else []
    return [line for line in lines if line.strip()][:_MOST]


def _condition(line: str) -> Condition | None:
    found = _LINE.match(line)
    if found is None or len(found[2]) > _LONGEST:
        return None
    kind, value = found[1].lower(), found[2]
    sized = kind in ("at most", "at least")
    if kind not in _TESTS or (sized and not _SIZE.match(value)):
        return None
    return Condition(kind, value)


def _contains(value: str, answer: str, tools: Collection[str]) -> bool:
    return _plain(value) in _plain(answer)


def _lacks(value: str, answer: str, tools: Collection[str]) -> bool:
    return not _contains(value, answer, tools)


def _matches(value: str, answer: str, tools: Collection[str]) -> bool:
    """ "*" stands for any text, "#" for a number. Each part is looked for after the one before, so
    that no pattern takes longer than its text."""
    text, at = _plain(answer), 0
    for part in filter(None, (part.strip() for part in _plain(value).split("*"))):
        pattern = r"\d[\d.,]{0,20}".join(re.escape(piece) for piece in part.split("#"))
        found = re.compile(pattern).search(text, at)
        if found is None:
            return False
        at = found.end()
    return True


def _at_most(value: str, answer: str, tools: Collection[str]) -> bool:
    size, most = _sized(value, answer)
    return size <= most


def _at_least(value: str, answer: str, tools: Collection[str]) -> bool:
    size, least = _sized(value, answer)
    return size >= least


def _uses(value: str, answer: str, tools: Collection[str]) -> bool:
    return value in tools


def _sized(value: str, answer: str) -> tuple[int, int]:
    found = _SIZE.match(value)
    if found is None:
        return 0, 0
    counts = {
        "word": len(answer.split()),
        "character": len(answer),
        "line": len(answer.strip().splitlines()),
    }
    return counts[found[2].lower()], int(found[1])


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


_TESTS: dict[str, Callable[[str, str, Collection[str]], bool]] = {
    "contains": _contains,
    "lacks": _lacks,
    "matches": _matches,
    "at most": _at_most,
    "at least": _at_least,
    "uses": _uses,
}
KINDS = tuple(_TESTS)
