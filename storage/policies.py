"""Versions of the approval policy: added, never changed."""

from collections.abc import Sequence

from sqlalchemy import Select, bindparam, func, select

from bot.model.policy import PolicyVersion
from storage.constant import Constant, Row
from storage.engine import Database
from storage.tables import policies
from storage.upsert import hold


class PolicyStore:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def add(self, workspace: str, text: str, by: str, at: int) -> PolicyVersion:
        last = select(func.max(policies.c.version)).where(policies.c.workspace == workspace)
        async with self._db.write() as conn:
            await hold(self._db, conn, "policies", workspace)
            version = ((await conn.execute(last)).scalar() or 0) + 1
            made = PolicyVersion(version, text, by, at)
            await conn.execute(
                policies.insert().values(
                    workspace=workspace, version=version, text=text, created_by=by, created_at=at
                )
            )
        return made

    async def current(self, workspace: str) -> PolicyVersion | None:
        found = await self._select(_CURRENT, of=workspace)
        return found[0] if found else None

    async def get(self, workspace: str, version: int) -> PolicyVersion | None:
        wanted = _NEWEST_FIRST.where(policies.c.version == version)
        found = await self._select(wanted, of=workspace)
        return found[0] if found else None

    async def list(self, workspace: str, limit: int = 20) -> Sequence[PolicyVersion]:
        return await self._select(_NEWEST_FIRST.limit(limit), of=workspace)

    async def _select(
        self, query: Constant | Select[tuple[str, ...]], **given: object
    ) -> Sequence[PolicyVersion]:
        return [_version(row) for row in await self._db.rows(query, given)]


_NEWEST_FIRST = (
    select(policies)
    .where(policies.c.workspace == bindparam("of"))
    .order_by(policies.c.version.desc())
)
_CURRENT = Constant(_NEWEST_FIRST.limit(1))


def _version(row: Row) -> PolicyVersion:
    return PolicyVersion(row["version"], row["text"], row["created_by"], row["created_at"])
