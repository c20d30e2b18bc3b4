"""The commands' stage with trials on, once per database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.engine import Database
from tests.bot.improve.trials.tried import Tried
from tests.commands.stage import stage
from tests.conftest import HeldClock


@pytest.fixture
async def on(db: Database, clock: HeldClock, tmp_path: Path) -> AsyncIterator[Tried]:
    made = await stage(db, clock, tmp_path, "balanced")
    yield Tried(made)
    await made.services.memory.close()
