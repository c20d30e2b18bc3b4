"""Groups of texts by HDBSCAN over TF-IDF and SVD, where scikit-learn is installed."""

import importlib
import importlib.util
from collections.abc import Sequence

from bot.errors import ConfigError
from bot.lexical import terms

_LEAST, _SHARE = 5, 25
"""A group has at least five texts, and one in 25 of all."""
_DIMENSIONS, _WORDS = 10, 5_000


def installed() -> bool:
    """Whether the optional package is there; importing it would take seconds."""
    return importlib.util.find_spec("sklearn") is not None


def groups(texts: Sequence[str]) -> list[int]:
    """A number for each text, below 0 for those of no group; the same texts give the same. Takes
    seconds for 2,000 texts. Raises ConfigError where scikit-learn isn't installed."""
    if not installed():
        raise ConfigError("scikit-learn isn't installed: it comes with the extra `clusters`")
    texts_module = importlib.import_module("sklearn.feature_extraction.text")
    decomposition = importlib.import_module("sklearn.decomposition")
    preprocessing = importlib.import_module("sklearn.preprocessing")
    cluster = importlib.import_module("sklearn.cluster")
    words = texts_module.TfidfVectorizer(
        analyzer=_words, sublinear_tf=True, min_df=2, max_features=_WORDS
    )
    try:
        vectors = words.fit_transform(texts)
    except ValueError:  # too few texts, or none has a word that another has
        return [-1] * len(texts)
    dimensions = min(_DIMENSIONS, vectors.shape[1] - 1, len(texts) - 1)
    if dimensions < 2 or len(texts) < 2 * _LEAST:
        return [-1] * len(texts)
    reduced = decomposition.TruncatedSVD(dimensions, random_state=0).fit_transform(vectors)
    near = preprocessing.normalize(reduced)
    found = cluster.HDBSCAN(min_cluster_size=max(_LEAST, len(texts) // _SHARE), copy=True)
    return [int(number) for number in found.fit_predict(near)]


def _words(text: str) -> list[str]:
    return sorted(terms(text))
