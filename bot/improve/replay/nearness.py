"""How near an answer comes to one that people took: by its words, and by meaning where that is known."""

from collections.abc import Sequence

from bot.lexical import terms
from bot.ports.models import Embedder

_LONGEST = 4_000


class Nearness:
    """Numbers and names decide between answers that mean much the same: words count half even
    where meaning is known."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    async def to(self, accepted: str, answers: Sequence[str]) -> list[float]:
        """In [0, 1], one for each."""
        words = [in_words(accepted, answer) for answer in answers]
        if self._embedder.degraded:
            return words
        texts = [text[:_LONGEST] for text in (accepted, *answers)]
        first, *others = await self._embedder.embed(texts)
        meant = [sum(a * b for a, b in zip(first, other, strict=True)) for other in others]
        return [(w + min(1.0, max(0.0, m))) / 2 for w, m in zip(words, meant, strict=True)]


def in_words(one: str, other: str) -> float:
    """The share of words that mean something which both have (Dice); 1 for two without any."""
    first, second = terms(one), terms(other)
    if not first and not second:
        return 1.0
    return 2 * len(first & second) / (len(first) + len(second))
