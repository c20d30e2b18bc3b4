"""The stage, on SQLite or once per database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.engine import Database, url_of
from storage.tables import metadata
from tests.commands.stage import Stage, stage
from tests.conftest import HeldClock


@pytest.fixture
async def on(clock: HeldClock, tmp_path: Path) -> AsyncIterator[Stage]:
    """On SQLite: what differs between databases is the stores' own to prove."""
    db = Database(url_of("", tmp_path))
    async with db.write() as conn:
        await conn.run_sync(metadata.create_all)
    made = await stage(db, clock, tmp_path)
    yield made
    await made.services.memory.close()
    await db.close()


@pytest.fixture
async def on_each(db: Database, clock: HeldClock, tmp_path: Path) -> AsyncIterator[Stage]:
    made = await stage(db, clock, tmp_path)
    yield made
    await made.services.memory.close()
