"""A running Ratchet: what may start later, and what becomes of it where storage fails."""

import asyncio
from pathlib import Path

from bot import config, wiring


async def test_what_storage_refused_at_start_is_tried_until_it_starts(tmp_path: Path) -> None:
    """The engine behind the jobs has a file of its own; answers don't wait for it."""
    home = tmp_path / "home"
    blocked = home / "durable.sqlite"
    blocked.mkdir(parents=True)
    settings = config.load({"RATCHET_HOME": str(home), "RATCHET_PORT": "0"}, folder=tmp_path)
    async with wiring.open_app(settings) as app:
        assert "4" in (await app.ask("What is 2 + 2?")).answer
        await app.settled()
        assert not vars(app.services.durable)["_dbos"]
        blocked.rmdir()
        async with asyncio.timeout(30):
            while not vars(app.services.durable)["_dbos"]:
                await asyncio.sleep(0.02)
        run = await app.ask("/jobs run analyze")
        assert run.error_type == ""
