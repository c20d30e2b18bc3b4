"""The stage, on SQLite or once per database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.engine import Database
from tests import databases
from tests.commands.stage import Stage, stage
from tests.conftest import HeldClock


@pytest.fixture
async def on(clock: HeldClock, tmp_path: Path) -> AsyncIterator[Stage]:
    """On SQLite: what differs between databases is the stores' own to prove."""
    db = databases.on_sqlite(tmp_path)
    made = await stage(db, clock, tmp_path)
    yield made
    await made.services.memory.close()
    await db.close()


@pytest.fixture
async def on_each(db: Database, clock: HeldClock, tmp_path: Path) -> AsyncIterator[Stage]:
    made = await stage(db, clock, tmp_path)
    yield made
    await made.services.memory.close()
