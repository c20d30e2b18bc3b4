"""One-time codes by their digests: each is redeemed once."""

import hashlib
from collections.abc import Mapping

from sqlalchemy import update

from storage.engine import Database
from storage.tables import codes


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


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
