"""Workspaces that installed the app: their tokens sealed, erased when they leave."""

import pytest
from sqlalchemy import select, update

from bot.clock import SystemIds
from bot.errors import ConfigError
from bot.model.installation import Installation
from storage.engine import Database
from storage.installations import InstallationStore
from storage.sealing import AesSeal
from storage.tables import installations

OLD, NEW = "o" * 32, "n" * 32
ONE = Installation("slack:T1", "slack", "T1", "One", "U1", 1)
TWO = Installation("slack:T2", "slack", "T2", "Two", "U2", 2)


def _store(db: Database, *keys: str) -> InstallationStore:
    return InstallationStore(db, AesSeal(keys, SystemIds()) if keys else None)


async def _sealed(db: Database, workspace: str = "slack:T1") -> str:
    query = select(installations.c.sealed).where(installations.c.workspace == workspace)
    async with db.read() as conn:
        return str((await conn.execute(query)).scalar_one())


async def test_each_workspace_has_its_own_token(db: Database) -> None:
    store = _store(db, NEW)
    await store.put("slack:T1", ONE, "xoxb-one")
    await store.put("slack:T2", TWO, "xoxb-two")
    assert await store.token("slack:T1") == "xoxb-one"
    assert await store.token("slack:T2") == "xoxb-two"
    assert await store.token("slack:T3") is None and await store.get("slack:T3") is None
    assert await store.get("slack:T2") == TWO


async def test_the_database_holds_no_token_in_the_clear(db: Database) -> None:
    store = _store(db, NEW)
    await store.put("slack:T1", ONE, "xoxb-one")
    first = await _sealed(db)
    await store.put("slack:T1", ONE, "xoxb-one")
    assert "xoxb" not in first and first != await _sealed(db)


async def test_a_token_moved_to_another_workspace_does_not_open(db: Database) -> None:
    store = _store(db, NEW)
    await store.put("slack:T1", ONE, "xoxb-one")
    await store.put("slack:T2", TWO, "xoxb-two")
    moved = update(installations).where(installations.c.workspace == "slack:T2")
    stolen = await _sealed(db)
    async with db.write() as conn:
        await conn.execute(moved.values(sealed=stolen))
    with pytest.raises(ConfigError):
        await store.token("slack:T2")


async def test_keys_are_changed_without_installing_again(db: Database) -> None:
    await _store(db, OLD).put("slack:T1", ONE, "xoxb-one")
    assert await _store(db, NEW, OLD).token("slack:T1") == "xoxb-one"
    assert await _store(db, NEW).token("slack:T1") == "xoxb-one"
    with pytest.raises(ConfigError, match="no key"):
        await _store(db, OLD).token("slack:T1")
    with pytest.raises(ConfigError):
        await _store(db).token("slack:T1")
    with pytest.raises(ConfigError):
        await _store(db).put("slack:T2", TWO, "xoxb-two")


async def test_who_leaves_leaves_no_token_and_may_come_back(db: Database) -> None:
    store = _store(db, NEW)
    await store.put("slack:T1", ONE, "xoxb-one")
    assert await store.remove("slack:T1", 9) and not await store.remove("slack:T1", 10)
    assert await store.token("slack:T1") is None and await _sealed(db) == ""
    left = await store.get("slack:T1")
    assert left is not None and left.removed_at == 9
    await store.put("slack:T1", ONE, "xoxb-again")
    assert await store.token("slack:T1") == "xoxb-again" and await store.get("slack:T1") == ONE


@pytest.mark.parametrize("garbage", ["", "x", "ü", "AAAA", "A" * 400])
def test_garbage_opens_nothing(garbage: str) -> None:
    assert AesSeal([NEW], SystemIds()).open(garbage, "slack:T1") is None
