"""Conversations keep the agent they chose."""

from storage.conversations import ConversationStore
from storage.engine import Database
from tests.conftest import HeldClock


async def test_the_last_chosen_agent_is_kept(db: Database, clock: HeldClock) -> None:
    conversations = ConversationStore(db, clock)
    assert await conversations.agent("w", "c") == ""
    await conversations.set_agent("w", "c", "writer")
    await conversations.set_agent("w", "c", "analyst")
    assert await conversations.agent("w", "c") == "analyst"
    assert await conversations.agent("v", "c") == ""
