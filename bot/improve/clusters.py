"""Requests that are about the same: text in, the id of a cluster out; learned as they come; pure.

A leader algorithm over the words that mean something, rare ones counting more: a text joins the
nearest cluster if that is near enough, else it begins a new one. Ids are never used again. Memory
is bounded: rare words and small clusters that nobody comes back to are forgotten.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from math import log, sqrt
from typing import Any

from bot.lexical import stems

NEAR = 0.3
"""The cosine from which a text belongs to a cluster."""
MOST = 64
"""Clusters that are kept; up to twice as many between two clearings."""
_WORDS, _MEMO = 3_000, 20_000
_TERMS, _TEXT_TERMS, _TEXT_CHARS = 24, 24, 600
_LABEL_WORDS, _LABEL_SHARE, _LONGEST_WORD = 3, 0.25, 24

_WORD = re.compile(r"[^\W\d_]{2,}")
_NO_WORDS = re.compile(r"\[redacted: [\w ]*\]|https?://\S+|\S+@\S+\.\S+")


class Clusters:
    """The fold and its state, which is JSON: "n" texts in all, "next" id, "words" by stem
    [texts that have it, how it is written, weight] and "clusters" by id [size, length, {stem: texts}]."""

    def __init__(self, state: Mapping[str, Any] | None = None, most: int = MOST) -> None:
        """`state` is taken over, not copied."""
        kept = state or {}
        self._most = most
        self._n: int = kept.get("n", 0)
        self._next: int = kept.get("next", 1)
        self._words: dict[str, list[Any]] = kept.get("words") or {}
        self._clusters: dict[str, list[Any]] = kept.get("clusters") or {}
        self._memo: dict[str, tuple[str, ...]] = {}
        self._holders = self._index()

    def dump(self) -> dict[str, Any]:
        return {"n": self._n, "next": self._next, "words": self._words, "clusters": self._clusters}

    @property
    def ids(self) -> Sequence[str]:
        return [*self._clusters]

    def size(self, cluster: str) -> int:
        return int(self._clusters[cluster][0]) if cluster in self._clusters else 0

    def of(self, text: str) -> str:
        """The cluster that a text belongs to, "" for none; nothing is learned."""
        return self._nearest(self._terms(text))[0]

    def learn(self, text: str) -> str:
        """The cluster that a text is now part of, "" for one without words."""
        terms = self._terms(text)
        if not terms:
            return ""
        cluster, _ = self._nearest(terms)
        self._n += 1
        for stem, word in terms.items():
            known = self._words.get(stem)
            if known is None:
                known = self._words[stem] = [0, word, 0.0]
            count = known[0] = known[0] + 1
            if count < 16 or count % 8 == 0:  # later it hardly changes from one text to the next
                known[2] = log(1 + (self._n + 1) / (count + 1))
        if not cluster:
            cluster = f"c{self._next}"
            self._next += 1
            self._clusters[cluster] = [0, 0.0, {}]
        self._join(cluster, terms)
        self._forget()
        return cluster

    def regroup(self, texts: Sequence[str], groups: Sequence[int]) -> None:
        """Makes these groups the clusters: for each text its group, below 0 for none. A group has
        the id of the cluster that most of its texts were in, unless a larger one took it; clusters
        whose texts went to others are gone, those that no text was in stay."""
        members: dict[int, list[dict[str, str]]] = {}
        came: dict[int, Counter[str]] = {}
        for text, group in zip(texts, groups, strict=True):
            if group >= 0 and (terms := self._terms(text)):
                members.setdefault(group, []).append(terms)
                came.setdefault(group, Counter())[self._nearest(terms)[0]] += 1
        made: dict[str, list[dict[str, str]]] = {}
        for group in sorted(members, key=lambda one: (-len(members[one]), one))[: self._most]:
            ranked = sorted(came[group], key=lambda c: (-came[group][c], c))
            cluster = next((c for c in ranked if c and c not in made), "")
            if not cluster:
                cluster = f"c{self._next}"
                self._next += 1
            made[cluster] = members[group]
        for gone in {c for counted in came.values() for c in counted}:
            self._clusters.pop(gone, None)
        self._clusters |= {cluster: [0, 0.0, {}] for cluster in made}
        self._holders = self._index()
        for cluster, joined in made.items():
            for terms in joined:
                for stem, word in terms.items():
                    self._words.setdefault(stem, [1, word, log(2 + self._n)])
                self._join(cluster, terms)
        self._forget()

    def label(self, cluster: str) -> str:
        """A few words that most of its texts share: letters only, on one line; data, like the
        texts they come from. "" for an unknown one."""
        if cluster not in self._clusters:
            return ""
        size, _, terms = self._clusters[cluster]
        least = max(min(2, size), _LABEL_SHARE * size)
        shared = [stem for stem, count in terms.items() if count >= least]
        shared.sort(key=lambda stem: (-terms[stem] * self._weight(stem), stem))
        return ", ".join(self._written(stem) for stem in shared[:_LABEL_WORDS]) or "mixed"

    def terms(self, cluster: str, most: int = 12) -> Sequence[str]:
        """More of its words, the most telling first."""
        if cluster not in self._clusters:
            return ()
        terms = self._clusters[cluster][2]
        ranked = sorted(terms, key=lambda stem: (-terms[stem] * self._weight(stem), stem))
        return [self._written(stem) for stem in ranked[:most]]

    def _written(self, stem: str) -> str:
        known = self._words.get(stem)
        return str(known[1] if known else stem)[:_LONGEST_WORD]

    def _terms(self, text: str) -> dict[str, str]:
        """Stems, each with a word that has it."""
        if "[redacted" in text or "://" in text or "@" in text:
            text = _NO_WORDS.sub(" ", text)
        found: dict[str, str] = {}
        memo = self._memo
        for word in _WORD.findall(text[:_TEXT_CHARS].casefold()):
            known = memo.get(word)
            if known is None:
                if len(memo) >= _MEMO:
                    memo.clear()
                known = memo[word] = stems(word)
            for stem in known:
                if stem not in found:
                    found[stem] = word if len(known) == 1 else stem
            if len(found) >= _TEXT_TERMS:
                break
        return found

    def _weight(self, stem: str) -> float:
        known = self._words.get(stem)
        return float(known[2]) if known else log(2 + self._n)

    def _nearest(self, terms: Mapping[str, str]) -> tuple[str, float]:
        """("", 0) where none is near enough."""
        words, clusters, holders = self._words, self._clusters, self._holders
        unknown = log(2 + self._n)
        shared: dict[str, float] = {}
        length = 0.0
        for stem in terms:
            known = words.get(stem)
            weight = known[2] if known else unknown
            square = weight * weight
            length += square
            for cluster in holders.get(stem, ()):
                # In proportion to the centroid's share of it
                part = square * clusters[cluster][2][stem]
                if cluster in shared:
                    shared[cluster] += part
                else:
                    shared[cluster] = part
        best, near = "", 0.0
        for cluster, part in shared.items():
            kept = clusters[cluster]
            cosine = part / (kept[0] * kept[1])  # and to how long the centroid is
            if cosine > near or (cosine == near and _number(cluster) < _number(best)):
                best, near = cluster, cosine
        near = near / sqrt(length) if length else 0.0
        return (best, near) if near >= NEAR else ("", 0.0)

    def _join(self, cluster: str, terms: Mapping[str, str]) -> None:
        kept = self._clusters[cluster]
        held = kept[2]
        kept[0] += 1
        for stem in terms:
            if stem not in held:
                self._holders[stem].append(cluster)
            held[stem] = held.get(stem, 0) + 1
        if len(held) > 2 * _TERMS:
            ranked = sorted(held, key=lambda stem: (-held[stem] * self._weight(stem), stem))
            for stem in ranked[_TERMS:]:
                del held[stem]
                self._holders[stem].remove(cluster)
        size = kept[0]
        # A large cluster's length hardly changes from one text to the next.
        if size < 32 or size % 16 == 0 or not kept[1]:
            kept[1] = sqrt(sum((count / size * self._weight(s)) ** 2 for s, count in held.items()))

    def _forget(self) -> None:
        """The smallest clusters and, of those, the oldest; the rarest words that no cluster has."""
        if len(self._clusters) > 2 * self._most:
            ranked = sorted(self._clusters, key=lambda c: (-self._clusters[c][0], -_number(c)))
            self._clusters = {c: self._clusters[c] for c in sorted(ranked[: self._most])}
            self._holders = self._index()
        if len(self._words) > 2 * _WORDS:
            words = self._words
            ranked = sorted(words, key=lambda s: (not self._holders.get(s), -words[s][0], s))
            self._words = {stem: words[stem] for stem in ranked[:_WORDS]}

    def _index(self) -> defaultdict[str, list[str]]:
        holders: defaultdict[str, list[str]] = defaultdict(list)
        for cluster in sorted(self._clusters, key=_number):
            for stem in self._clusters[cluster][2]:
                holders[stem].append(cluster)
        return holders


def _number(cluster: str) -> int:
    return int(cluster[1:] or 0)
