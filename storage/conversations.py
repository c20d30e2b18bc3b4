"""Which agent a conversation chose by name."""

from sqlalchemy import select

from bot.ports.clock import Clock
from storage.engine import Database
from storage.tables import conversations
from storage.upsert import insert


class ConversationStore:
    def __init__(self, db: Database, clock: Clock) -> None:
        self._db, self._clock = db, clock

    async def agent(self, workspace: str, conversation: str) -> str:
        query = select(conversations.c.agent).where(
            conversations.c.workspace == workspace, conversations.c.id == conversation
        )
        async with self._db.read() as conn:
            return (await conn.execute(query)).scalar() or ""

    async def set_agent(self, workspace: str, conversation: str, agent: str) -> None:
        changed = {"agent": agent, "updated_at": self._clock.now()}
        adding = insert(self._db, conversations).values(
            workspace=workspace, id=conversation, **changed
        )
        async with self._db.write() as conn:
            await conn.execute(
                adding.on_conflict_do_update(index_elements=["workspace", "id"], set_=changed)
            )
