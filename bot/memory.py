"""Memory: SQL keeps it, the index finds it, a namespace says whose it is."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bot import lexical
from bot.errors import BadInput
from bot.memory_index import MemoryIndex
from bot.model.memory import Memory, Namespace, Recalled
from bot.ports.clock import Clock, Ids
from bot.ports.models import Embedder
from bot.ports.stores import Memories
from bot.ports.vectors import VectorIndex
from bot.redaction import Redactor

MAX_TEXT = 4_000
_CANDIDATES = 32
_WITHOUT_INDEX = 300
_NEWEST = 500
_STALE_SECONDS = 3.0
_MAX_KNOWN = 10_000
_MOST_MOVED = 100_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Taste:
    """How dense and lexical nearness add up, and below what nothing is shown.

    Word hashing knows no meaning, and its collisions look like nearness: there words decide.
    """

    dense: float
    least_dense: float
    least_lexical: float

    def score(self, dense: float, lexical_score: float) -> float:
        """In [0, 1]; 0 for what has nothing to do with the question."""
        dense = min(1.0, max(0.0, dense))
        if dense < self.least_dense and lexical_score < self.least_lexical:
            return 0.0
        return self.dense * dense + (1 - self.dense) * min(1.0, lexical_score)


_BY_WORDS = Taste(dense=0.3, least_dense=1.01, least_lexical=0.25)
_BY_MEANING = Taste(dense=0.75, least_dense=0.3, least_lexical=0.5)


class MemoryBank:
    """Remember, recall, forget, over the store, the index and the embedder.

    The store is the truth. An index that lags or fails costs no memory: what it misses is found
    by words alone until it has been made anew, in the background. `shared` says that other
    processes write to the same store: then "nothing is remembered" is believed for 3 seconds.
    """

    def __init__(
        self,
        store: Memories,
        index: VectorIndex,
        embedder: Embedder,
        clock: Clock,
        ids: Ids,
        *,
        redactor: Redactor | None = None,
        shared: bool = False,
    ) -> None:
        self._store, self._clock, self._ids = store, clock, ids
        self._space = embedder.name
        self._index = MemoryIndex(store, index, embedder, clock)
        self._redactor = redactor or Redactor()
        self._stale_after = _STALE_SECONDS if shared else float("inf")
        self._taste = _BY_WORDS if embedder.degraded else _BY_MEANING
        self._known: dict[tuple[str, str], tuple[bool, float]] = {}
        self._changes = 0

    @property
    def by_meaning(self) -> bool:
        """Whether texts are found by their meaning; else by their words, which finds less."""
        return self._taste is _BY_MEANING

    async def open(self) -> None:
        """Chooses the index's space; nothing is read until something is remembered or asked."""
        await self._index.open()

    async def close(self) -> None:
        await self._index.close()

    async def remember(
        self, workspace: str, namespace: Namespace, text: str, *, by: str, source: str, id: str = ""
    ) -> Memory:
        """Keeps a text; the same `id` twice is one memory. Raises BadInput, StorageError."""
        text = _checked(self._redactor.text(text))
        draft = Memory(
            id or self._ids.run_id(), workspace, 0, namespace, text, self._clock.now(), by, source
        )
        vector = await self._index.embed(text)
        try:
            memory = await self._store.add(draft, vector, self._space)
        finally:
            self._forget_known(workspace)
        if memory.text == text:
            await self._index.put(memory, vector)
        return memory

    async def holds(self, workspace: str, namespaces: Sequence[Namespace]) -> bool:
        """Whether anything is remembered there: cheap enough to ask before every answer."""
        if not await self._any(workspace, ""):
            return False
        for namespace in namespaces:
            if await self._any(workspace, namespace):
                return True
        return False

    async def recall(
        self, workspace: str, namespaces: Sequence[Namespace], question: str, limit: int = 5
    ) -> list[Recalled]:
        """The memories of these namespaces nearest to the question, best first."""
        if not question.strip() or not await self.holds(workspace, namespaces):
            return []
        count = max(_CANDIDATES, 4 * limit)
        near = await self._index.near(workspace, namespaces, question[:MAX_TEXT], count)
        found = list(await self._store.get_many(workspace, list(near)))
        if not self._index.whole(workspace):
            newest = await self._store.list(workspace, namespaces, _WITHOUT_INDEX)
            found += [m for m in newest if m.id not in near]
        # The index is a cache: whose a memory is, is asked of the record.
        mine = [m for m in found if m.namespace in namespaces]
        words = lexical.scores(question, [m.text for m in mine])
        scored = [
            Recalled(memory, self._taste.score(near.get(memory.id, 0.0), lexical_score))
            for memory, lexical_score in zip(mine, words, strict=True)
        ]
        best = sorted(scored, key=lambda r: (-r.score, -r.memory.number))
        return [r for r in best if r.score > 0][:limit]

    async def between(
        self, workspace: str, namespaces: Sequence[Namespace], since: int, until: int
    ) -> list[Memory]:
        """The newest of these namespaces that were remembered in [since, until), ms UTC."""
        if not await self.holds(workspace, namespaces):
            return []
        newest = await self._store.list(workspace, namespaces, _NEWEST)
        return [m for m in newest if since <= m.created_at < until]

    async def forget(self, workspace: str, memory: Memory) -> bool:
        """Removes it for good; False if it was gone already. Raises StorageError."""
        gone = await self._store.forget(workspace, memory.id, self._clock.now())
        self._forget_known(workspace)
        if gone:
            await self._index.drop(workspace, memory.id)
        return gone

    async def moving(
        self, workspace: str, namespace: Namespace, move: Callable[[], Awaitable[T]]
    ) -> T:
        """Runs `move`, which gives the memories of a namespace to another one in the store."""
        moved = await self._store.list(workspace, [namespace], _MOST_MOVED)
        # Out of the index first: one that lacks them is made anew, also after a crash in between.
        for memory in moved:
            await self._index.drop(workspace, memory.id)
        try:
            return await move()
        finally:
            self._forget_known(workspace)
            if moved:
                self._index.doubt(workspace)

    async def rebuild(self, workspace: str) -> int:
        """Makes the workspace's part of the index anew; returns how many memories it holds."""
        return await self._index.rebuild(workspace)

    async def settled(self) -> None:
        """Returns once no repair of the index is under way."""
        await self._index.settled()

    async def vacuum(self) -> None:
        await self._index.vacuum()

    async def _any(self, workspace: str, namespace: str) -> bool:
        """From what is known already, or from the store; namespace "" is all of them."""
        now = self._clock.monotonic()
        known = self._known.get((workspace, namespace))
        if known and now - known[1] <= self._stale_after:
            return known[0]
        changes = self._changes
        if namespace:
            some = await self._store.count(workspace, [Namespace(namespace)]) > 0
        else:
            some = await self._store.total(workspace) > 0
        if changes == self._changes:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            self._known[workspace, namespace] = (some, now)
        return some

    def _forget_known(self, workspace: str) -> None:
        self._changes += 1
        self._known = {key: v for key, v in self._known.items() if key[0] != workspace}


def _checked(text: str) -> str:
    text = text.strip()
    if not text:
        raise BadInput("empty memory", said="There is nothing to remember: say what it is.")
    if len(text) > MAX_TEXT:
        raise BadInput(
            f"memory of {len(text)} characters",
            said=f"That is too long to remember: {len(text):,} characters, of at most "
            f"{MAX_TEXT:,}. Say it shorter, or in parts.",
        )
    return text
