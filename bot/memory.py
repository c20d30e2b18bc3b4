"""Memory: SQL keeps it, the index finds it, a namespace says whose it is."""

from collections.abc import Sequence

from bot.model.memory import Memory, Namespace, Recalled
from bot.ports.clock import Clock, Ids
from bot.ports.models import Embedder
from bot.ports.stores import Memories
from bot.ports.vectors import VectorIndex


class MemoryBank:
    """Remember, recall, forget, over the store, the index and the embedder."""

    def __init__(
        self, store: Memories, index: VectorIndex, embedder: Embedder, clock: Clock, ids: Ids
    ) -> None:
        self._store, self._index, self._embedder = store, index, embedder
        self._clock, self._ids = clock, ids

    async def remember(
        self, workspace: str, namespace: Namespace, text: str, *, by: str, source: str, id: str = ""
    ) -> Memory:
        """Keeps a text; the same `id` twice is one memory."""
        raise NotImplementedError

    async def recall(
        self, workspace: str, namespaces: Sequence[Namespace], question: str, limit: int = 5
    ) -> list[Recalled]:
        """The memories of these namespaces nearest to the question, best first."""
        raise NotImplementedError

    async def forget(self, workspace: str, memory: Memory) -> bool:
        raise NotImplementedError
