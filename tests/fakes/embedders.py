"""Embedders whose answers a test can foresee: words into buckets, synonyms into one."""

import hashlib
import math
import re
from collections.abc import Sequence

from bot.errors import ModelUnavailable


class WordEmbedder:
    """Hashes words; `synonyms` maps a word to the one it means. `down` makes it fail."""

    dimensions = 64

    def __init__(
        self,
        name: str = "words",
        degraded: bool = True,
        synonyms: dict[str, str] | None = None,
    ) -> None:
        self.name = name
        self.degraded = degraded
        self.down = False
        self.calls = 0
        self._synonyms = synonyms or {}

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        if self.down:
            raise ModelUnavailable("embedder down on purpose")
        self.calls += 1
        return [self._one(text) for text in texts]

    def _one(self, text: str) -> list[float]:
        vector = [0.0] * self.dimensions
        for word in re.findall(r"\w+", text.lower()):
            meant = self._synonyms.get(word, word)
            vector[hashlib.sha256(meant.encode()).digest()[0] % self.dimensions] += 1.0
        length = math.sqrt(sum(x * x for x in vector)) or 1.0
        return [x / length for x in vector]
