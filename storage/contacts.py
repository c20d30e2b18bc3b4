"""Where people can be reached: consent, when they last wrote, what the platform refused."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import case, or_, select

from bot.model.contact import Consent, Contact
from storage.constant import Row
from storage.engine import Database
from storage.tables import contacts
from storage.upsert import insert

_KEY = ("workspace", "channel", "external_id")


class ContactStore:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def get(self, workspace: str, channel: str, external_id: str) -> Contact | None:
        query = select(contacts).where(*_is(workspace, channel, external_id))
        rows = await self._db.rows(query)
        return _contact(rows[0]) if rows else None

    async def heard(
        self,
        workspace: str,
        channel: str,
        external_id: str,
        at: int,
        address: Mapping[str, object],
    ) -> None:
        # A late delivery must not move the time back, nor undo what it doesn't know of.
        newer = {
            "heard_at": case((contacts.c.heard_at < at, at), else_=contacts.c.heard_at),
            "disabled_at": case((contacts.c.disabled_at < at, 0), else_=contacts.c.disabled_at),
            "address": dict(address),
        }
        first = {"heard_at": at, "address": dict(address)}
        await self._put(workspace, channel, external_id, first, newer)

    async def set_consent(
        self, workspace: str, channel: str, external_id: str, consent: Consent, at: int, word: str
    ) -> None:
        said = {"consent": consent, "consent_at": at, "consent_word": word}
        newer = contacts.c.consent_at <= at
        if consent == "out":  # a pause that another clock noted must not outlive a no
            newer = or_(newer, contacts.c.consent == "paused")
        await self._put(workspace, channel, external_id, said, said, newer)

    async def disable(
        self, workspace: str, channel: str, external_id: str, at: int, why: str
    ) -> bool:
        said = {"disabled_at": at, "disabled_why": why}
        return await self._put(
            workspace, channel, external_id, said, said, contacts.c.disabled_at == 0
        )

    async def _put(
        self,
        workspace: str,
        channel: str,
        external_id: str,
        first: Mapping[str, Any],
        then: Mapping[str, Any],
        where: Any = None,
    ) -> bool:
        """Whether anything was written."""
        adding = insert(self._db, contacts).values(
            workspace=workspace, channel=channel, external_id=external_id, **first
        )
        putting = adding.on_conflict_do_update(index_elements=_KEY, set_=then, where=where)
        async with self._db.write() as conn:
            return bool((await conn.execute(putting)).rowcount)


def _is(workspace: str, channel: str, external_id: str) -> tuple[Any, ...]:
    c = contacts.c
    return c.workspace == workspace, c.channel == channel, c.external_id == external_id


def _contact(row: Row) -> Contact:
    return Contact(
        row["workspace"],
        row["channel"],
        row["external_id"],
        row["address"] or {},
        row["consent"],
        row["consent_at"],
        row["consent_word"],
        row["heard_at"],
        row["disabled_at"],
        row["disabled_why"],
    )
