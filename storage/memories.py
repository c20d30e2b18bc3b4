"""Memories: the source of truth for what is remembered; the vector index is made of them."""

import struct
from collections.abc import Mapping, Sequence

from sqlalchemy import Select, bindparam, func, select, update

from bot.errors import Conflict
from bot.model.memory import Memory, Namespace
from bot.ports.stores import Stored
from storage.constant import Row
from storage.engine import Database
from storage.tables import memories as table
from storage.upsert import hold

_KEPT = table.c.forgotten_at == 0
_MEMORY = [c for c in table.c if c.name not in ("vector", "space")]


class MemoryStore:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def add(self, memory: Memory, vector: Sequence[float], space: str) -> Memory:
        known = select(*_MEMORY).where(table.c.id == memory.id)
        last = select(func.max(table.c.number)).where(table.c.workspace == memory.workspace)
        async with self._db.write() as conn:
            await hold(self._db, conn, "memories", memory.workspace)
            row = (await conn.execute(known)).mappings().first()
            if row is None:
                number = ((await conn.execute(last)).scalar() or 0) + 1
                await conn.execute(table.insert().values(_row(memory, vector, space, number)))
                row = (await conn.execute(known)).mappings().one()
            if row["workspace"] != memory.workspace:
                raise Conflict(f"memory {memory.id} belongs to another workspace")
            return _memory(row)

    async def get_many(self, workspace: str, ids: Sequence[str]) -> Sequence[Memory]:
        if not ids:
            return []
        query = select(*_MEMORY).where(table.c.workspace == workspace, table.c.id.in_(ids), _KEPT)
        return await self._select(query)

    async def by_ref(self, workspace: str, ref: str) -> Memory | None:
        digits = ref.strip().lower().removeprefix("m")
        if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
            return None
        query = select(*_MEMORY).where(
            table.c.workspace == workspace, table.c.number == int(digits), _KEPT
        )
        found = await self._select(query)
        return found[0] if found else None

    async def list(
        self, workspace: str, namespaces: Sequence[Namespace], limit: int = 50
    ) -> Sequence[Memory]:
        query = (
            select(*_MEMORY)
            .where(table.c.workspace == workspace, table.c.namespace.in_(namespaces), _KEPT)
            .order_by(table.c.number.desc())
            .limit(limit)
        )
        return await self._select(query)

    async def forget(self, workspace: str, memory: str, at: int = 0) -> bool:
        gone = {"text": "", "vector": None, "space": "", "forgotten_at": max(at, 1)}
        forgetting = (
            update(table)
            .where(table.c.workspace == workspace, table.c.id == memory, _KEPT)
            .values(gone)
        )
        async with self._db.write() as conn:
            return bool((await conn.execute(forgetting)).rowcount)

    async def count(self, workspace: str, namespaces: Sequence[Namespace]) -> int:
        return await self._count(
            select(func.count())
            .select_from(table)
            .where(table.c.workspace == workspace, table.c.namespace.in_(namespaces), _KEPT)
        )

    async def total(self, workspace: str) -> int:
        return await self._count(
            select(func.count()).select_from(table).where(table.c.workspace == workspace, _KEPT)
        )

    async def page(self, workspace: str, after: int, limit: int) -> Sequence[Stored]:
        query = (
            select(table)
            .where(table.c.workspace == workspace, table.c.number > after, _KEPT)
            .order_by(table.c.number)
            .limit(limit)
        )
        rows = await self._db.rows(query)
        return [Stored(_memory(r), _unpacked(r["vector"]), r["space"]) for r in rows]

    async def set_vectors(
        self, workspace: str, vectors: Mapping[str, Sequence[float]], space: str
    ) -> None:
        if not vectors:
            return
        setting = (
            update(table)
            .where(table.c.workspace == workspace, table.c.id == bindparam("memory"), _KEPT)
            .values(vector=bindparam("packed"), space=space)
        )
        rows = [{"memory": id, "packed": _packed(vector)} for id, vector in vectors.items()]
        async with self._db.write() as conn:
            await conn.execute(setting, rows)

    async def _select(self, query: Select[tuple[object, ...]]) -> Sequence[Memory]:
        return [_memory(row) for row in await self._db.rows(query)]

    async def _count(self, query: Select[int]) -> int:
        async with self._db.read() as conn:
            return (await conn.execute(query)).scalar_one()


def _row(memory: Memory, vector: Sequence[float], space: str, number: int) -> dict[str, object]:
    return {
        "id": memory.id,
        "workspace": memory.workspace,
        "number": number,
        "namespace": memory.namespace,
        "text": memory.text,
        "vector": _packed(vector) if vector else None,
        "space": space if vector else "",
        "created_by": memory.created_by,
        "source": memory.source,
        "created_at": memory.created_at,
    }


def _memory(row: Row) -> Memory:
    return Memory(
        id=row["id"],
        workspace=row["workspace"],
        number=row["number"],
        namespace=Namespace(row["namespace"]),
        text=row["text"],
        created_at=row["created_at"],
        created_by=row["created_by"],
        source=row["source"],
    )


def _packed(vector: Sequence[float]) -> bytes:
    """Little-endian float32, the precision that the index keeps too."""
    return struct.pack(f"<{len(vector)}f", *vector)


def _unpacked(packed: bytes | None) -> tuple[float, ...]:
    return struct.unpack(f"<{len(packed) // 4}f", packed) if packed else ()
