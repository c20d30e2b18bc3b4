"""Whether a text may become part of an agent: what it must not hold, and why; pure."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

_GRAM = 5
"""So many words in a row as in what someone else wrote are copied, not drafted."""

_ORDERS = re.compile(
    r"(?i)\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}\b(?:instruction|rule|polic|prompt|"
    r"previous|above|guard|limit|budget|approv)|"
    r"\b(?:grant|give|allow|enable|add|unlock)\b.{0,40}\b(?:tool|permission|access|right|role|owner|"
    r"admin|approver|budget|host)s?\b|"
    r"\b(?:approve|accept|merge|apply)\b.{0,30}\b(?:proposal|change|this|itself|P\d+)\b|"
    r"\b(?:raise|increase|lift|remove|change|set)\b.{0,30}\b(?:budget|limit|polic|approver|quota)|"
    r"\byou are now\b|\bact as\b|\bsystem prompt\b|\bnew instructions?\b|"
    r"\b(?:make|appoint)\b.{0,30}\b(?:owner|approver|admin)|"
    r"</?(?:system|material|instructions?)>|\[/?INST\]|(?m:^\s*(?:system|assistant)\s*:)|"
    r"(?:^|\s)/(?:approve|policy|role|budget|claim|unfreeze|freeze|unprotect|edit)\b"
)
_COMMANDS = re.compile(r"(?:^|\s)[/!](?:[a-z][a-z-]{2,20})\b")
_LINK = re.compile(r"(?i)\b(?:https?://|www\.)\S+|\b[a-z0-9-]+\.(?:com|net|org|io|dev|ru|cn|xyz)\b")
_WORD = re.compile(r"\w+")
_NAME = re.compile(r"\b[a-z]+(?:_[a-z0-9]+)+\b")
"""How tools are named."""


@dataclass(frozen=True, slots=True)
class Material:
    """What a draft was made from: `said` by people, models and tools, which is data; `ours` is
    what we wrote ourselves, and the tools that the agent has."""

    said: Sequence[str]
    ours: Sequence[str] = ()
    tools: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    longest: int = 300
    lines: int = 1


@dataclass(frozen=True, slots=True)
class Verdict:
    faults: tuple[str, ...] = field(default=())

    @property
    def passed(self) -> bool:
        return not self.faults

    def __str__(self) -> str:
        return "; ".join(self.faults) or "passed"


def lint(
    text: str, material: Material, redact: Callable[[str], str], limits: Limits | None = None
) -> Verdict:
    """Every reason why the text may not be used."""
    limits = limits or Limits()
    everything = "\n".join([*material.said, *material.ours])
    faults: list[str] = []
    if not text.strip():
        faults.append("empty")
    if len(text) > limits.longest:
        faults.append(f"longer than {limits.longest} characters")
    if len(text.strip().splitlines()) > limits.lines:
        faults.append(f"more than {limits.lines} lines")
    if redact(text) != text:
        faults.append("holds a secret")
    if len(_scripts(text)) > 1 and not _scripts(text) <= _scripts(everything):
        faults.append("mixes scripts")
    if suspicious(text) or _COMMANDS.search(text):
        faults.append("gives orders about permissions, rules or commands")
    if any(link not in everything for link in _found(_LINK, text)):
        faults.append("names an address that nobody named")
    known = {*material.tools, *_found(_NAME, "\n".join(material.ours))}
    if strange := [name for name in _found(_NAME, text) if name not in known]:
        faults.append(f"names a tool it doesn't have ({strange[0][:40]})")
    if any(suspicious(said) and _copied(text, said) for said in material.said):
        faults.append("repeats orders from what people or tools wrote")
    return Verdict(tuple(faults))


def suspicious(text: str) -> bool:
    """Whether it speaks to an agent about what it may do, rather than about the matter."""
    return _ORDERS.search(text) is not None


def _copied(text: str, said: str) -> bool:
    words = _WORD.findall(text.casefold())
    told = _WORD.findall(said.casefold())
    size = min(_GRAM, len(words))
    grams = {tuple(told[i : i + size]) for i in range(len(told) - size + 1)}
    return any(tuple(words[i : i + size]) in grams for i in range(len(words) - size + 1))


def _found(pattern: re.Pattern[str], text: str) -> list[str]:
    return [match[0] for match in pattern.finditer(text)]


def _scripts(text: str) -> set[str]:
    """Of its letters: letters of another script may look like these and mean something else."""
    names = {unicodedata.name(c, "").partition(" ")[0] for c in set(text) if c.isalpha()}
    return {"CJK" if name in ("HIRAGANA", "KATAKANA", "HANGUL") else name for name in names}
