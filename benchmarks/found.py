"""What detection finds in a made log that is always the same: to hold two versions side by side.

python -m benchmarks.found --runs 100000 > before.json
"""

import argparse
import asyncio
import json
import random
import tempfile
from pathlib import Path
from typing import Any

from sqlalchemy import text

from benchmarks.detection import JOBS
from benchmarks.made_log import AGENTS, fill
from bot.clock import version7
from bot.model.agent import AgentVersion
from storage.engine import Database, url_of
from storage.migrate import upgrade
from tests.conftest import HeldClock
from tests.jobs.desk import with_desk

_DAYS = 100 * 86_400_000
_STATES = "SELECT name, watermark, state FROM states ORDER BY name"
_FINDINGS = """
    SELECT fingerprint, kind, agent, title, detail, evidence, count, status, updated_at, people,
        usd_week, confidence, facts
    FROM findings ORDER BY fingerprint
"""


class SeededIds:
    """Ids that are the same each time, a ms apart."""

    def __init__(self, since: int) -> None:
        self._ms, self._chance = since, random.Random(1)

    def run_id(self) -> str:
        self._ms += 1
        return version7(self._ms << 12, self._chance.getrandbits(62))

    def token(self, size: int = 16) -> str:
        return self._chance.randbytes(size).hex()


async def found(folder: Path, count: int) -> dict[str, Any]:
    """States and findings after a first pass and one over a thousand runs more."""
    db, clock = Database(url_of("", folder)), HeldClock()
    await upgrade(db)
    ids = SeededIds(clock.now() - _DAYS)
    await fill(db, ids, count, clock.now() - _DAYS, clock.now() - 60_000)
    services = await with_desk(db, clock, ids)
    await services.agents.seed(
        "local", [AgentVersion(name, 1, name, "You help.") for name in AGENTS]
    )
    told: dict[str, Any] = {}
    for name, more in (("first", 0), ("more", 1_000)):
        if more:
            clock.advance(100)
            await fill(db, ids, more, clock.now() - 9_000, clock.now() - 7_000, seed=3)
        for _, work in JOBS:
            await work(services, "local", "bench")
        told[name] = await _kept(db)
    await db.close()
    return told


async def _kept(db: Database) -> dict[str, Any]:
    async with db.read() as conn:
        states = (await conn.execute(text(_STATES))).all()
        findings = (await conn.execute(text(_FINDINGS))).mappings().all()
    # The mark of what was told of is that of the states, which may be saved more or less often.
    return {
        "states": {
            name: ["" if name == "mining.told" else mark, json.loads(state or "null")]
            for name, mark, state in states
        },
        "findings": [dict(row) for row in findings],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20_000)
    count = parser.parse_args().runs
    with tempfile.TemporaryDirectory(prefix="ratchet-found-") as folder:
        print(json.dumps(asyncio.run(found(Path(folder), count)), indent=1, sort_keys=True))


if __name__ == "__main__":
    main()
