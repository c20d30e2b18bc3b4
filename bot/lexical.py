"""How much of a question's words a text holds: exact names and ids that vectors blur. Pure."""

import math
import re
from collections import Counter
from collections.abc import Sequence

_WORD = re.compile(r"\w+")
# Scripts written without spaces: pairs of characters stand in for words.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]{2,}")
_ENDINGS = ("ments", "ment", "ings", "ing", "ies", "ed", "es", "s", "ly")
_MAX_CHARS = 8_000
_MAX_TERMS = 64
_COMMON_WORDS = """
a about all also am an and any are as at be been but by can could d did do does for from get had
has have he her him his how i if in into is it its just let ll m may me might my no not of on or
our ours please re s shall she should so some t tell than that the their them then there these
they this those to too up us use ve was we were what when where which who whom whose why will
with would you your yours
der die das und ist ein eine wie was wann wer wo le la les un une et est que el los las es de
"""
_COMMON = frozenset(_COMMON_WORDS.split())
_TEXT_PART = 0.6
"""What a text wholly contained in a longer question counts, against the other way round."""


def terms(text: str) -> frozenset[str]:
    """The stems of the words that mean something; at most 64 of them."""
    found: dict[str, None] = {}
    for match in _WORD.finditer(text[:_MAX_CHARS].casefold()):
        found.update(dict.fromkeys(stems(match[0])))
        if len(found) >= _MAX_TERMS:
            break
    return frozenset(list(found)[:_MAX_TERMS])


def stems(word: str) -> tuple[str, ...]:
    """What a word in lower case counts as: its stem, nothing where it is a common one, or pairs of
    characters where its script has no spaces."""
    if _UNSPACED.search(word):
        return tuple(word[i : i + 2] for i in range(len(word) - 1))
    return () if word in _COMMON else (_stem(word),)


def scores(question: str, texts: Sequence[str]) -> list[float]:
    """For each text how well its words cover the question's, in [0, 1]; rare words count more."""
    asked = terms(question)
    held = [terms(text) for text in texts]
    holders = Counter(term for text in held for term in text)

    def weight(of: frozenset[str]) -> float:
        return sum(math.log(1 + (len(texts) + 1) / max(1, holders[term])) for term in of)

    whole = weight(asked)
    if not whole:
        return [0.0] * len(texts)
    return [
        max(shared / whole, _TEXT_PART * shared / weight(text)) if shared else 0.0
        for text in held
        for shared in [weight(asked & text)]
    ]


def _stem(word: str) -> str:
    if any(c.isdigit() for c in word):
        return word
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    if len(word) > 3 and word[-1] in "yei":
        word = word[:-1]
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word
