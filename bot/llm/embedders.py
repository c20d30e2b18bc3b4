"""Which embedder there is: the model if its files are here, else the hashing of words."""

import tempfile
from pathlib import Path

from bot.config import Settings
from bot.errors import ConfigError
from bot.llm import fastembed
from bot.llm.fastembed import FastEmbedder
from bot.llm.hashing import HashingEmbedder
from bot.ports.models import Embedder


def choose_embedder(settings: Settings, *, cache: Path | None = None) -> Embedder:
    """Looks at files only: nothing is loaded, nothing is fetched.

    The folder of the setting must hold the model, or ConfigError says what is missing. Without
    the setting the model is taken from `models` in RATCHET_HOME or from fastembed's own cache.
    """
    if settings.embedding_model_path is not None:
        return FastEmbedder(_checked(settings.embedding_model_path))
    if fastembed.installed():
        own_cache = cache or Path(tempfile.gettempdir()) / "fastembed_cache"
        for place in (settings.home / "models", own_cache):
            if folder := fastembed.in_cache(place):
                return FastEmbedder(folder)
    return HashingEmbedder()


def _checked(folder: Path) -> Path:
    said = f"RATCHET_EMBEDDING_MODEL_PATH: {folder} "
    if missing := fastembed.missing(folder):
        what = "is no folder" if not folder.is_dir() else f"lacks {', '.join(missing)}"
        raise ConfigError(said=f"{said}{what}; expected the files of {fastembed.MODEL} as ONNX")
    if not fastembed.installed():
        raise ConfigError(
            said=f"{said}needs the fastembed package, which is not installed: "
            "install Ratchet with its embeddings extra"
        )
    return folder
