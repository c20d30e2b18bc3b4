"""The stage, once per database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.engine import Database
from tests.commands.stage import Stage, stage
from tests.conftest import HeldClock


@pytest.fixture
async def on(db: Database, clock: HeldClock, tmp_path: Path) -> AsyncIterator[Stage]:
    made = await stage(db, clock, tmp_path)
    yield made
    await made.services.memory.close()
