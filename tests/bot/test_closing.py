"""What closes last is closed whatever became of what closed first."""

import pytest

from bot.closing import close_all
from bot.errors import StorageError


async def test_a_failure_leaves_nothing_open() -> None:
    closed: list[str] = []

    async def memory() -> None:
        closed.append("memory")
        raise StorageError("no space left")

    async def journal() -> None:
        closed.append("journal")

    async def database() -> None:
        closed.append("database")

    with pytest.raises(StorageError, match="no space left"):
        await close_all(memory, journal, database)
    assert closed == ["memory", "journal", "database"]
