"""One-time codes by their digests: each is redeemed once."""

import hashlib
from collections.abc import Mapping

from sqlalchemy import func, select, update

from bot.model.person import Code
from storage.engine import Database
from storage.tables import codes
from storage.upsert import hold, insert


class CodeStore:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def issue(
        self,
        workspace: str,
        purpose: str,
        code: str,
        payload: Mapping[str, object],
        expires_at: int,
    ) -> None:
        async with self._db.write() as conn:
            await conn.execute(
                codes.insert().values(
                    purpose=purpose,
                    digest=_digest(code),
                    workspace=workspace,
                    payload=dict(payload),
                    expires_at=expires_at,
                )
            )

    async def redeem(
        self, workspace: str, purpose: str, code: str, now: int
    ) -> Mapping[str, object] | None:
        using = (
            update(codes)
            .where(
                codes.c.purpose == purpose,
                codes.c.digest == _digest(code),
                codes.c.workspace == workspace,
                codes.c.used_at == 0,
                codes.c.expires_at > now,
            )
            .values(used_at=now)
            .returning(codes.c.payload)
        )
        async with self._db.write() as conn:
            row = (await conn.execute(using)).first()
        return None if row is None else row.payload or {}

    async def look(self, workspace: str, purpose: str, code: str) -> Code | None:
        query = select(codes).where(codes.c.purpose == purpose, codes.c.digest == _digest(code))
        async with self._db.read() as conn:
            row = (await conn.execute(query)).mappings().first()
        if row is None:
            return None
        ours = row["workspace"] == workspace
        payload = (row["payload"] or {}) if ours else {}
        return Code(ours, payload, row["expires_at"], row["used_at"])

    async def tries(self, workspace: str, purpose: str, key: str, now: int, until: int) -> int:
        trying = insert(self._db, codes).values(
            purpose=purpose, digest=_digest(key), workspace=workspace, expires_at=until
        )
        mine = (codes.c.workspace == workspace, codes.c.purpose == purpose)
        count = select(func.count()).select_from(codes).where(*mine, codes.c.expires_at > now)
        async with self._db.write() as conn:
            await hold(self._db, conn, "tries", workspace, purpose)
            await conn.execute(trying.on_conflict_do_nothing())
            return (await conn.execute(count)).scalar() or 0


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
