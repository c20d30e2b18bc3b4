"""Workspaces that installed the app by themselves; their tokens are kept sealed."""

from typing import Protocol

from sqlalchemy import RowMapping, select, update

from bot.errors import ConfigError
from bot.model.installation import Installation
from storage.engine import Database
from storage.tables import installations
from storage.upsert import insert


class Seal(Protocol):
    def seal(self, secret: str, belongs_to: str) -> str: ...

    def open(self, sealed: str, belongs_to: str) -> tuple[str, bool] | None:
        """The secret, and whether it is sealed as it would be now; None where no key opens it."""


class InstallationStore:
    """`seal` is None where no key is set: then nothing can be installed, and no token is read."""

    def __init__(self, db: Database, seal: Seal | None) -> None:
        self._db, self._seal = db, seal

    async def put(self, workspace: str, installation: Installation, token: str) -> None:
        if self._seal is None:
            raise ConfigError("no RATCHET_SECRET_KEY to seal a token with")
        now = {
            "workspace": workspace,
            "name": installation.name,
            "sealed": self._seal.seal(token, workspace),
            "installed_by": installation.installed_by,
            "installed_at": installation.installed_at,
            "removed_at": 0,
        }
        key = {"channel": installation.channel, "team": installation.team}
        adding = insert(self._db, installations).values(**key, **now)
        async with self._db.write() as conn:
            await conn.execute(
                adding.on_conflict_do_update(index_elements=["channel", "team"], set_=now)
            )

    async def get(self, workspace: str) -> Installation | None:
        row = await self._row(workspace)
        return _installation(row) if row else None

    async def token(self, workspace: str) -> str | None:
        row = await self._row(workspace)
        if row is None or row["removed_at"] or not row["sealed"]:
            return None
        opened = self._seal.open(row["sealed"], workspace) if self._seal else None
        if opened is None:
            raise ConfigError(
                f"no key of RATCHET_SECRET_KEY opens the token of {workspace}",
                said="RATCHET_SECRET_KEY lacks the key that this workspace's token was sealed "
                "with. Add it after a comma, or install the app there again.",
            )
        secret, current = opened
        if not current and self._seal:
            await self._reseal(workspace, row["sealed"], self._seal.seal(secret, workspace))
        return secret

    async def remove(self, workspace: str, at: int) -> bool:
        removing = (
            update(installations)
            .where(installations.c.workspace == workspace, installations.c.removed_at == 0)
            .values(sealed="", removed_at=at)
        )
        async with self._db.write() as conn:
            return bool((await conn.execute(removing)).rowcount)

    async def _reseal(self, workspace: str, before: str, sealed: str) -> None:
        async with self._db.write() as conn:
            await conn.execute(
                update(installations)
                .where(installations.c.workspace == workspace, installations.c.sealed == before)
                .values(sealed=sealed)
            )

    async def _row(self, workspace: str) -> RowMapping | None:
        query = select(installations).where(installations.c.workspace == workspace)
        async with self._db.read() as conn:
            return (await conn.execute(query)).mappings().first()


def _installation(row: RowMapping) -> Installation:
    return Installation(
        row["workspace"],
        row["channel"],
        row["team"],
        row["name"],
        row["installed_by"],
        row["installed_at"],
        row["removed_at"],
    )
