"""The embedded index: Qdrant's engine inside this process, opened when first needed."""

import asyncio
import importlib
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from bot.errors import RatchetError, StorageError
from bot.model.memory import Namespace
from bot.ports.vectors import Point
from storage.vectors import names

T = TypeVar("T")

_NEVER = 10**9


class EdgeIndex:
    """A shard per space in `folder`. One process owns it, one thread touches it.

    The engine holds the interpreter's lock while it works, so more threads would gain nothing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path: Path | None = None
        self._dimensions = 0
        self._shard: Any = None
        self._qdrant: Any = None
        self._thread: ThreadPoolExecutor | None = None

    async def open(self, space: str, dimensions: int) -> None:
        if self._shard is not None:
            await self._in_thread(self._close)
        self._path = self._folder / names.space_name(space, dimensions)
        self._dimensions = dimensions

    async def put(self, points: Sequence[Point]) -> None:
        if points:
            await self._in_thread(lambda: self._put(points))

    async def drop(self, ids: Sequence[str]) -> None:
        if ids and self._exists:
            await self._in_thread(lambda: self._drop([names.point_id(i) for i in ids]))

    async def clear(self, workspace: str) -> None:
        if self._exists:
            await self._in_thread(lambda: self._clear(workspace))

    async def search(
        self, workspace: str, namespaces: Sequence[Namespace], vector: Sequence[float], limit: int
    ) -> list[tuple[str, float]]:
        if not namespaces or limit < 1 or not self._exists:
            return []
        tenants = [names.tenant(workspace, n) for n in namespaces]
        return await self._in_thread(lambda: self._search(tenants, list(vector), limit))

    async def count(self, workspace: str) -> int:
        return await self._in_thread(lambda: self._count(workspace)) if self._exists else 0

    async def vacuum(self) -> None:
        if self._shard is not None:
            await self._in_thread(lambda: self._opened().optimize())

    async def close(self) -> None:
        if self._shard is not None:
            await self._in_thread(self._close)
        if self._thread is not None:
            self._thread.shutdown()
            self._thread = None

    @property
    def _exists(self) -> bool:
        return self._shard is not None or (self._path is not None and self._path.exists())

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="vectors")
        try:
            # Not left half done by a caller that is cancelled.
            return await asyncio.shield(
                asyncio.get_running_loop().run_in_executor(self._thread, work)
            )
        except RatchetError:
            raise
        # The engine raises plain Exception for everything, and its panics derive from that too.
        except Exception as error:
            raise StorageError(f"vector index: {error}", said=_SAID) from error

    def _opened(self) -> Any:
        if self._shard is None:
            if self._path is None:
                raise StorageError("vector index used before open", said=_SAID)
            self._qdrant = importlib.import_module("qdrant_edge")
            self._shard = (
                self._load(self._path) if self._path.exists() else self._create(self._path)
            )
        return self._shard

    def _load(self, path: Path) -> Any:
        try:
            return self._qdrant.EdgeShard.load(str(path), self._config())
        except Exception as error:
            if "WouldBlock" in str(error):
                raise StorageError(f"vector index held: {error}", said=_HELD) from error
            # A cache that can't be read is worth less than the time to look at it.
            shutil.rmtree(path)
            return self._create(path)

    def _create(self, path: Path) -> Any:
        path.mkdir(parents=True)
        shard = self._qdrant.EdgeShard.create(str(path), self._config())
        tenant = self._qdrant.KeywordIndexParams(is_tenant=True)
        plain = self._qdrant.KeywordIndexParams()
        for field, kind in ((names.TENANT, tenant), (names.WORKSPACE, plain)):
            shard.update(self._qdrant.UpdateOperation.create_field_index(field, kind))
        return shard

    def _config(self) -> Any:
        q = self._qdrant
        return q.EdgeConfig(
            vectors=q.EdgeVectorParams(size=self._dimensions, distance=q.Distance.Cosine),
            optimizers=q.EdgeOptimizersConfig(indexing_threshold=_NEVER),
            max_search_threads=1,
            wal_enabled=True,
        )

    def _put(self, points: Sequence[Point]) -> None:
        shard, q = self._opened(), self._qdrant
        shard.update(
            q.UpdateOperation.upsert_points(
                [
                    q.Point(
                        names.point_id(p.id),
                        list(p.vector),
                        names.payload(p.id, p.workspace, p.namespace),
                    )
                    for p in points
                ]
            )
        )

    def _drop(self, ids: list[str]) -> None:
        shard = self._opened()
        shard.update(self._qdrant.UpdateOperation.delete_points(ids))

    def _clear(self, workspace: str) -> None:
        shard = self._opened()
        everything = self._match(names.WORKSPACE, [workspace])
        shard.update(self._qdrant.UpdateOperation.delete_points_by_filter(everything))

    def _search(
        self, tenants: list[str], vector: list[float], limit: int
    ) -> list[tuple[str, float]]:
        shard, q = self._opened(), self._qdrant
        found = shard.query(
            q.QueryRequest(
                limit=limit,
                query=q.Query.Nearest(vector),
                filter=self._match(names.TENANT, tenants),
                with_payload=True,
            )
        )
        return [(f.payload[names.MEMORY], f.score) for f in found]

    def _count(self, workspace: str) -> int:
        shard = self._opened()
        matching = self._match(names.WORKSPACE, [workspace])
        return int(shard.count(self._qdrant.CountRequest(exact=True, filter=matching)))

    def _match(self, field: str, values: list[str]) -> Any:
        q = self._qdrant
        return q.Filter(must=[q.FieldCondition(field, match=q.MatchAny(values))])

    def _close(self) -> None:
        if self._shard is not None:
            self._shard.close()
            self._shard = None


_SAID = "My memory index failed just now. Nothing that was remembered is lost; please try again."
_HELD = (
    "Another process holds the memory index. Stop it, or set QDRANT_URL so that several "
    "processes can share a Qdrant server."
)
