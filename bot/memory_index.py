"""The vector index kept in step with the records, and made anew from them when it is not."""

import asyncio
from collections.abc import Sequence

import structlog

from bot.errors import RatchetError
from bot.model.memory import Memory, Namespace
from bot.ports.clock import Clock
from bot.ports.models import Embedder
from bot.ports.stores import Memories, Stored
from bot.ports.vectors import Point, VectorIndex

_log = structlog.get_logger(__name__)
_PAGE = 256
_RETRY_SECONDS = 30.0


class MemoryIndex:
    """Never raises for what can be made good later: it logs, and repairs in the background."""

    def __init__(
        self, store: Memories, index: VectorIndex, embedder: Embedder, clock: Clock
    ) -> None:
        self._store, self._index = store, index
        self._embedder, self._clock = embedder, clock
        self._ready: set[str] = set()
        self._broken: set[str] = set()
        self._tried: dict[str, float] = {}
        self._repairs: dict[str, asyncio.Task[None]] = {}

    async def open(self) -> None:
        await self._index.open(self._embedder.name, self._embedder.dimensions)

    async def close(self) -> None:
        repairs = list(self._repairs.values())
        for task in repairs:
            task.cancel()
        await asyncio.gather(*repairs, return_exceptions=True)
        await self._index.close()

    async def vacuum(self) -> None:
        await self._index.vacuum()

    def whole(self, workspace: str) -> bool:
        """Whether it is known to hold every memory of the workspace. If not, finds out."""
        if workspace in self._ready:
            return True
        now = self._clock.monotonic()
        due = now - self._tried.get(workspace, float("-inf")) >= _RETRY_SECONDS
        if due and workspace not in self._repairs:
            self._tried[workspace] = now
            self._repairs[workspace] = asyncio.create_task(self._repair(workspace))
        return False

    def doubt(self, workspace: str) -> None:
        """It lacks what the store has: found by words alone until it is made anew."""
        self._ready.discard(workspace)
        self._broken.add(workspace)
        self._tried.pop(workspace, None)
        self.whole(workspace)

    async def settled(self) -> None:
        """Returns once no repair is under way."""
        while self._repairs:
            await asyncio.gather(*self._repairs.values(), return_exceptions=True)

    async def embed(self, text: str) -> list[float]:
        """Nothing where the embedder fails: the vector is made later."""
        try:
            return (await self._embedder.embed([text]))[0]
        except RatchetError as error:
            _log.warning("embedding failed", error=str(error))
            return []

    async def put(self, memory: Memory, vector: Sequence[float]) -> None:
        if not vector:
            self._fail(memory.workspace, "a memory has no vector yet")
            return
        try:
            point = Point(memory.id, memory.workspace, memory.namespace, vector)
            await self._index.put([point])
        except RatchetError as error:
            self._fail(memory.workspace, str(error))

    async def drop(self, workspace: str, memory: str) -> None:
        try:
            await self._index.drop([memory])
        except RatchetError as error:
            self._fail(workspace, str(error))

    async def near(
        self, workspace: str, namespaces: Sequence[Namespace], question: str, limit: int
    ) -> dict[str, float]:
        """Memory id to cosine similarity."""
        if not (vector := await self.embed(question)):
            return {}
        try:
            return dict(await self._index.search(workspace, namespaces, vector, limit))
        except RatchetError as error:
            self._fail(workspace, str(error))
            return {}

    async def rebuild(self, workspace: str) -> int:
        """Makes the workspace's part anew, with vectors of the present embedder; returns how many
        memories it holds. Raises StorageError, or what the embedder raises."""
        await self._index.clear(workspace)
        held, after = 0, 0
        while page := await self._store.page(workspace, after, _PAGE):
            vectors = await self._vectors(workspace, page)
            kept = [s.memory for s in page]
            await self._index.put(
                [Point(m.id, workspace, m.namespace, vectors[m.id]) for m in kept]
            )
            held, after = held + len(kept), kept[-1].number
        self._broken.discard(workspace)
        self._ready.add(workspace)
        return held

    async def _vectors(self, workspace: str, page: Sequence[Stored]) -> dict[str, Sequence[float]]:
        """Those of the present space, made and recorded where they are of another or missing."""
        space = self._embedder.name
        old = [s.memory for s in page if s.space != space or not s.vector]
        made: dict[str, Sequence[float]] = {}
        if old:
            embedded = await self._embedder.embed([m.text for m in old])
            made = {m.id: v for m, v in zip(old, embedded, strict=True)}
            await self._store.set_vectors(workspace, made, space)
        return {s.memory.id: made.get(s.memory.id, s.vector) for s in page}

    async def _repair(self, workspace: str) -> None:
        try:
            if workspace not in self._broken:
                held = await self._index.count(workspace)
                if held == await self._store.total(workspace):
                    self._ready.add(workspace)
                    return
            count = await self.rebuild(workspace)
            _log.info("memory index made anew", workspace=workspace, memories=count)
        except RatchetError as error:
            self._fail(workspace, str(error))
        finally:
            del self._repairs[workspace]

    def _fail(self, workspace: str, why: str) -> None:
        self._ready.discard(workspace)
        self._broken.add(workspace)
        _log.warning("memory index is behind", workspace=workspace, why=why)
