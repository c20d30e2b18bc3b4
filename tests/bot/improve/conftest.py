"""The commands' stage serves the desk too."""

import pytest

from tests.commands.conftest import on as on_sqlite
from tests.commands.conftest import on_each
from tests.commands.stage import Stage

__all__ = ["on", "on_each", "on_sqlite"]


@pytest.fixture
async def on(on_each: Stage) -> Stage:
    return on_each
