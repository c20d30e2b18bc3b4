"""The vector index: embedded by default, a Qdrant server where one is set."""

import importlib
from pathlib import Path

from bot.ports.vectors import VectorIndex
from storage.vectors.edge import EdgeIndex


def choose(home: Path, qdrant_url: str = "", api_key: str | None = None) -> VectorIndex:
    """The index of the settings. The server's client is imported only where it is used."""
    if not qdrant_url:
        return EdgeIndex(home / "vectors")
    server = importlib.import_module("storage.vectors.server")
    index: VectorIndex = server.ServerIndex(qdrant_url, api_key)
    return index


__all__ = ["EdgeIndex", "choose"]
