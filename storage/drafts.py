"""Where answers that still grow are shown."""

from collections.abc import Mapping

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from bot.ports.clock import Clock
from storage.engine import Database
from storage.journal import RunJournal
from storage.tables import drafts


class DraftStore:
    """Small writes go through the journal's group commit."""

    def __init__(self, db: Database, journal: RunJournal, clock: Clock) -> None:
        self._db, self._journal, self._clock = db, journal, clock

    async def put(
        self, workspace: str, run_id: str, channel: str, ref: Mapping[str, object]
    ) -> None:
        changed = {"channel": channel, "ref": dict(ref), "created_at": self._clock.now()}

        def work(conn: Connection) -> None:
            dialect = sqlite if self._db.sqlite else postgresql
            adding = dialect.insert(drafts).values(workspace=workspace, run_id=run_id, **changed)
            conn.execute(
                adding.on_conflict_do_update(index_elements=["workspace", "run_id"], set_=changed)
            )

        await self._journal.write(work)

    async def get(self, workspace: str, run_id: str) -> Mapping[str, object] | None:
        query = select(drafts.c.ref).where(
            drafts.c.workspace == workspace, drafts.c.run_id == run_id
        )
        async with self._db.read() as conn:
            found: Mapping[str, object] | None = (await conn.execute(query)).scalar()
        return found
