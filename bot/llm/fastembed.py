"""all-MiniLM-L6-v2 through fastembed, where its files are on this machine; never fetched here."""

import asyncio
import importlib
import importlib.util
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bot.errors import ConfigError

MODEL = "sentence-transformers/all-MiniLM-L6-v2"
NEEDED = ("model.onnx", "tokenizer.json", "config.json", "tokenizer_config.json")

# What the Hugging Face cache and fastembed's own archive call the model's folder.
_SNAPSHOTS = "models--[Qq]drant--all-[Mm]ini[Ll][Mm]-[Ll]6-v2-onnx/snapshots/*"
_UNPACKED = "fast-all-MiniLM-L6-v2"


def installed() -> bool:
    """Whether the optional package is there; importing it would take a second."""
    return importlib.util.find_spec("fastembed") is not None


def missing(folder: Path) -> list[str]:
    """The model's files that the folder lacks."""
    return [name for name in NEEDED if not (folder / name).is_file()]


def in_cache(cache: Path) -> Path | None:
    """The model's folder in a fastembed cache, if it is whole."""
    folders = [*sorted(cache.glob(_SNAPSHOTS)), cache / _UNPACKED]
    return next((folder for folder in folders if not missing(folder)), None)


class FastEmbedder:
    """Loads at the first text, in the one thread that it computes in."""

    name = "all-MiniLM-L6-v2"
    dimensions = 384
    degraded = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._model: Any = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="embed")

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._embed, list(texts))

    def _embed(self, texts: list[str]) -> list[list[float]]:
        if self._model is None:
            self._model = self._load()
        return [[float(x) for x in vector] for vector in self._model.embed(texts)]

    def _load(self) -> Any:
        try:
            return importlib.import_module("fastembed").TextEmbedding(
                MODEL,
                specific_model_path=str(self._folder),
                local_files_only=True,
                cache_dir=str(self._folder.parent),
            )
        except Exception as error:
            said = f"The embedding model in {self._folder} can't be loaded: {error}"
            raise ConfigError(said=said) from error
