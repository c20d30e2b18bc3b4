"""The index on a Qdrant server, for when more than one process shares the memories."""

from collections.abc import Awaitable, Sequence
from typing import TypeVar

import httpx
from qdrant_client import AsyncQdrantClient, models
from qdrant_client.common.client_exceptions import QdrantException
from qdrant_client.http.exceptions import ApiException, UnexpectedResponse

from bot.errors import StorageError
from bot.model.memory import Namespace
from bot.ports.vectors import Point
from storage.vectors import names

T = TypeVar("T")

_BATCH = 256


class ServerIndex:
    """A collection per space; made at the first `put`."""

    def __init__(self, url: str, api_key: str | None = None, timeout: int = 10) -> None:
        # The compatibility check is a thread with a request of its own: no use to an error we
        # would meet, and report, at the first call anyway.
        self._client = AsyncQdrantClient(
            url=url, api_key=api_key, timeout=timeout, check_compatibility=False
        )
        self._collection = ""
        self._dimensions = 0
        self._made = False

    async def open(self, space: str, dimensions: int) -> None:
        self._collection = names.space_name(space, dimensions)
        self._dimensions = dimensions
        self._made = False

    async def put(self, points: Sequence[Point]) -> None:
        if not points:
            return
        await self._ensure()
        for start in range(0, len(points), _BATCH):
            batch = [
                models.PointStruct(
                    id=names.point_id(p.id),
                    vector=list(p.vector),
                    payload=names.payload(p.id, p.workspace, p.namespace),
                )
                for p in points[start : start + _BATCH]
            ]
            await _asked(self._client.upsert(self._collection, batch))

    async def drop(self, ids: Sequence[str]) -> None:
        if ids:
            chosen = models.PointIdsList(points=[names.point_id(i) for i in ids])
            await _or_nothing(self._client.delete(self._collection, chosen))

    async def clear(self, workspace: str) -> None:
        chosen = models.FilterSelector(filter=_match(names.WORKSPACE, [workspace]))
        await _or_nothing(self._client.delete(self._collection, chosen))

    async def search(
        self, workspace: str, namespaces: Sequence[Namespace], vector: Sequence[float], limit: int
    ) -> list[tuple[str, float]]:
        if not namespaces or limit < 1:
            return []
        tenants = [names.tenant(workspace, n) for n in namespaces]
        found = await _or_nothing(
            self._client.query_points(
                self._collection,
                query=list(vector),
                query_filter=_match(names.TENANT, tenants),
                limit=limit,
                with_payload=True,
            )
        )
        if found is None:
            return []
        return [(str((p.payload or {})[names.MEMORY]), p.score) for p in found.points]

    async def count(self, workspace: str) -> int:
        found = await _or_nothing(
            self._client.count(
                self._collection, count_filter=_match(names.WORKSPACE, [workspace]), exact=True
            )
        )
        return 0 if found is None else found.count

    async def vacuum(self) -> None:
        """The server optimises by itself."""

    async def close(self) -> None:
        await self._client.close()

    async def _ensure(self) -> None:
        if self._made:
            return
        if not await _asked(self._client.collection_exists(self._collection)):
            await self._make()
        for field, tenant in ((names.TENANT, True), (names.WORKSPACE, None)):
            kind = models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=tenant)
            await _asked(self._client.create_payload_index(self._collection, field, kind))
        self._made = True

    async def _make(self) -> None:
        params = models.VectorParams(size=self._dimensions, distance=models.Distance.COSINE)
        try:
            await _asked(self._client.create_collection(self._collection, vectors_config=params))
        except StorageError as error:
            if _status(error.__cause__) != 409:  # another node made it in the meantime
                raise


def _match(field: str, values: list[str]) -> models.Filter:
    return models.Filter(must=[models.FieldCondition(key=field, match=models.MatchAny(any=values))])


def _status(error: BaseException | None) -> int | None:
    return error.status_code if isinstance(error, UnexpectedResponse) else None


async def _asked(call: Awaitable[T]) -> T:
    try:
        return await call
    except (ApiException, QdrantException, httpx.HTTPError, OSError) as error:
        raise StorageError(f"Qdrant: {type(error).__name__}: {error}", said=_SAID) from error


async def _or_nothing(call: Awaitable[T]) -> T | None:
    """The answer, or None while the collection hasn't been made."""
    try:
        return await _asked(call)
    except StorageError as error:
        if _status(error.__cause__) == 404:
            return None
        raise


_SAID = (
    "The Qdrant server at QDRANT_URL didn't answer as it should. Nothing that was remembered is "
    "lost; check the server, then try again."
)
