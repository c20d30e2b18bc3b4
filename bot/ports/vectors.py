"""The vector index: a cache of SQL's memories that can be rebuilt at any time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.model.memory import Namespace


@dataclass(frozen=True, slots=True)
class Point:
    """`id` is the memory's id, unique over all workspaces."""

    id: str
    workspace: str
    namespace: Namespace
    vector: Sequence[float]


class VectorIndex(Protocol):
    """Everything raises StorageError where the index can't be read or written."""

    async def open(self, space: str, dimensions: int) -> None:
        """Chooses the space, named after its embedder; a space that was never written to costs
        nothing until the first `put`."""

    async def put(self, points: Sequence[Point]) -> None:
        """Adds or replaces by id; durable once it returns."""

    async def drop(self, ids: Sequence[str]) -> None:
        """Takes points out; ids that aren't there are no error."""

    async def clear(self, workspace: str) -> None:
        """Takes all of a workspace's points out."""

    async def search(
        self, workspace: str, namespaces: Sequence[Namespace], vector: Sequence[float], limit: int
    ) -> list[tuple[str, float]]:
        """(id, cosine similarity), nearest first, from these namespaces of the workspace only."""

    async def count(self, workspace: str) -> int: ...

    async def vacuum(self) -> None:
        """Nightly upkeep."""

    async def close(self) -> None: ...
