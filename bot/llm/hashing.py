"""Embeddings without a model: words and their pieces, hashed; finds shared words, not meaning."""

import math
import re
import zlib
from collections import Counter
from collections.abc import Sequence

from bot.llm.lexical import stem

_WORD = re.compile(r"\w+")
_PIECES = 0.6  # weight of a word's pieces beside the word, which let misspelled ones be found

# Words so common that sharing them says nothing.
_COMMON_WORDS = """
a an and are as at be by do does for from how i in is it me my of on or our that the this to was
we what when where which who with you your
"""
_COMMON = frozenset(_COMMON_WORDS.split())


class HashingEmbedder:
    """The same text gives the same vector in every process and on every machine."""

    name = "hashing-v1"
    dimensions = 384
    degraded = True

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        return [self._vector(text) for text in texts]

    def _vector(self, text: str) -> list[float]:
        vector = [0.0] * self.dimensions
        for feature, weight in _features(text).items():
            number = zlib.crc32(feature.encode(errors="replace"))
            vector[number % self.dimensions] += weight if number & 0x8000_0000 else -weight
        length = math.sqrt(sum(x * x for x in vector))
        if not length:  # Nothing but signs, or features that cancel out.
            vector[zlib.crc32(text.encode(errors="replace")) % self.dimensions] = length = 1.0
        return [x / length for x in vector]


def _features(text: str) -> dict[str, float]:
    """Words by how often they come, dampened, and each word's runs of three letters."""
    counts = Counter(_WORD.findall(text.casefold()[:20_000]))
    features: dict[str, float] = {}
    for word, count in counts.items():
        weight = (1 + math.log(count)) * (0.1 if word in _COMMON else 1.0)
        features[f"w:{stem(word)}"] = features.get(f"w:{stem(word)}", 0.0) + weight
        padded = f"<{word}>"
        pieces = [padded[i : i + 3] for i in range(len(padded) - 2)]
        for piece in pieces:
            share = weight * _PIECES / math.sqrt(len(pieces))
            features[f"p:{piece}"] = features.get(f"p:{piece}", 0.0) + share
    return features
