"""The vector index: a cache of SQL's memories that can be rebuilt at any time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.model.memory import Namespace


@dataclass(frozen=True, slots=True)
class Point:
    id: str
    workspace: str
    namespace: Namespace
    vector: Sequence[float]


class VectorIndex(Protocol):
    async def open(self, space: str, dimensions: int) -> bool:
        """Opens the space named after its embedder; True if it was made new and is empty."""

    async def put(self, points: Sequence[Point]) -> None: ...

    async def drop(self, ids: Sequence[str]) -> None: ...

    async def search(
        self, workspace: str, namespaces: Sequence[Namespace], vector: Sequence[float], limit: int
    ) -> list[tuple[str, float]]:
        """(id, cosine similarity), nearest first, from these namespaces of the workspace only."""

    async def count(self) -> int: ...

    async def vacuum(self) -> None:
        """Nightly upkeep."""

    async def close(self) -> None: ...
