"""Whether a text is about what was asked, by its words alone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

_WORD = re.compile(r"\w+(?:['\u2019\-]\w+)*")
_NUMBER = re.compile(r"\d")

_STOP_WORDS = """
a about actually all also am an and answer any anyone are as at be been being but by can company could
current currently did do does doing exactly find for from get give go got had has have he hello
her here hey hi him his how i if in into is it its just know let like long look many may me
might mine much must my need no not now of off ok on one or our ours out over people please pls
right say shall she should so some someone tell than thank thanks that the their them then there
these they thing this those to too under up us use very want was we were what when where whether
which who whom whose why will with would yes you your yours s t re ve ll d m don doesn didn isn
aren won
"""
_STOP = frozenset(_STOP_WORDS.split())

# Words that are more often part of the answer than of what it is about.
_ANSWERS_WORDS = """
day week month year hour minute second percent euro dollar usd eur am pm monday tuesday
wednesday thursday friday saturday sunday
"""
_ANSWERS = frozenset(_ANSWERS_WORDS.split())

_ASKS_NUMBER = re.compile(r"\b(how (long|much|many|often|old|far|big)|when|what time)\b", re.I)

ENOUGH = 0.6
"""The relevance from which a text is taken for an answer."""


@dataclass(frozen=True, slots=True)
class Match:
    """`covered` is how much of the question's words the text has, `focus` how much of the text's
    the question has; both in [0, 1]. `whole` says that it has every one, in some form."""

    covered: float
    focus: float
    relevance: float
    whole: bool = False


def words(text: str) -> list[tuple[str, ...]]:
    """The words that carry meaning, each once, as stems. A word with hyphens is a tuple of itself
    in one and its parts: ("wifi", "wi", "fi")."""
    found: dict[tuple[str, ...], None] = {}
    for match in _WORD.finditer(text.casefold()):
        parts = re.sub(r"['\u2019]\w*$", "", match[0]).split("-")
        kept = [stem(part) for part in parts if part and part not in _STOP]
        if len(parts) > 1:
            kept.insert(0, stem("".join(parts)))
        if kept:
            found[tuple(kept)] = None
    return list(found)


def stem(word: str) -> str:
    """Without the usual English endings: policies, policy; shipped, shipping, ships, ship."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ches", "shes", "xes", "sses", "zes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            doubled = len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz"
            return word[:-1] if doubled else word
    return word[:-1] if len(word) > 4 and word.endswith("e") else word


def match(question: str, text: str) -> Match:
    """How well the text answers the question."""
    asked, said = words(question), words(text)
    about = [w for w in said if not _is_answer(w[0])] or said
    if not asked or not about:
        return Match(0.0, 0.0, 0.0)
    all_said, all_asked = [s for w in said for s in w], [s for w in asked for s in w]
    found = [_best(word, all_said) for word in asked]
    covered = sum(found) / len(asked)
    focus = sum(_best(word, all_asked) for word in about) / len(about)
    relevance = max(0.9 * covered, 0.6 * covered + 0.4 * focus)
    if covered and _ASKS_NUMBER.search(question) and _NUMBER.search(text):
        relevance += 0.15
    return Match(covered, focus, min(relevance, 1.0), all(found))


def _is_answer(stemmed: str) -> bool:
    return stemmed in _ANSWERS or bool(_NUMBER.search(stemmed))


def _best(word: tuple[str, ...], among: Sequence[str]) -> float:
    """Of a word with hyphens either the whole counts or its parts on average."""
    whole, *parts = [_nearest(form, among) for form in word]
    return max(whole, sum(parts) / len(parts) if parts else 0.0)


def _nearest(word: str, among: Sequence[str]) -> float:
    return 1.0 if word in among else max((_alike(word, other) for other in among), default=0.0)


def _alike(one: str, other: str) -> float:
    """Deploy and deployment, or a slip of the finger; short words must be the same."""
    short, longer = sorted((one, other), key=len)
    if len(short) < 5 or _NUMBER.search(one + other):
        return 0.0
    if longer.startswith(short):
        return 0.9
    if len(longer) - len(short) > 2:
        return 0.0
    return 0.8 if SequenceMatcher(None, one, other).ratio() > 0.8 else 0.0
