"""How a simulated answer reads, and the mark in it by which the world alone knows how good it is."""

import re
from collections.abc import Iterator

from bot.llm.simulated.asking import topic_of
from bot.llm.simulated.chance import code, pick, uniform
from bot.llm.simulated.truth import Served, Truth

_MARK = re.compile(r"\bref ([0-9a-f]{6})-([0-9a-f]{6})\b")
_FACTS = {"a": (3, 28), "b": (10, 90), "c": (31, 60)}


def worded(truth: Truth, served: Served) -> str:
    """Two good answers to a request hold the same facts in words that may differ; a bad one
    holds others. The mark looks the same in both."""
    who, seed = served.asked, truth.seed
    topic = topic_of(truth.world, seed, who.number, who.cluster)
    forms = topic.good if served.good else topic.bad
    wording = ",".join(map(str, sorted(served.prompt.changes)))
    form = forms[pick([1.0] * len(forms), seed, "wording", who.number, wording)]
    text = form.format(n=f"#{100_000 + who.number}", **_facts(seed, who.number))
    return f"{text} ({mark(seed, f'{who.number}:{wording}', served.good)})"


def mark(seed: int, of: str, good: bool) -> str:
    nonce = code(seed, "nonce", of, good, size=6)
    return f"ref {nonce}-{_sealed(seed, nonce, good)}"


def marks(seed: int, text: str) -> Iterator[tuple[str, bool]]:
    """(nonce, whether that answer is good) of each answer in a text, in order; forged ones left
    out."""
    for nonce, seal in _MARK.findall(text):
        for good in (True, False):
            if seal == _sealed(seed, nonce, good):
                yield nonce, good


def _sealed(seed: int, nonce: str, good: bool) -> str:
    return code(seed, "seal", nonce, good, size=6)


def _facts(seed: int, number: int) -> dict[str, int]:
    return {
        name: low + int(uniform(seed, "fact", name, number) * (high - low + 1))
        for name, (low, high) in _FACTS.items()
    }
