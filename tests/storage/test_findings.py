"""A finding is raised once and gathers evidence."""

import asyncio
from dataclasses import replace

from bot.model.finding import Finding
from storage.engine import Database
from storage.findings import FindingStore

SEEN = Finding(
    "f1", "w", "error", "print", "Fails", "3 times", ("r1", "r2"), "writer", 2, "open", 1, 1
)


async def test_seen_again_it_gains_only_what_is_new(db: Database) -> None:
    findings = FindingStore(db)
    assert await findings.raise_once(SEEN) == (SEEN, True)
    again = replace(
        SEEN, id="f2", detail="4 times", evidence=("r2", "r3"), created_at=5, updated_at=5
    )
    merged = replace(SEEN, detail="4 times", evidence=("r1", "r2", "r3"), count=3, updated_at=5)
    assert await findings.raise_once(again) == (merged, False)
    assert await findings.raise_once(replace(again, updated_at=9)) == (merged, False)
    assert await findings.open("w") == [merged]
    assert await findings.open("other") == []


async def test_a_settled_one_stays_settled(db: Database) -> None:
    findings = FindingStore(db)
    await findings.raise_once(SEEN)
    await findings.set_status("w", "f1", "proposed")
    assert await findings.open("w") == []
    known, new = await findings.raise_once(replace(SEEN, evidence=("r9",)))
    assert (known.status, new) == ("proposed", False)


async def test_two_nodes_raise_one(db: Database) -> None:
    findings = FindingStore(db)
    seen = [replace(SEEN, id=f"f{n}", evidence=(f"r{n}",)) for n in range(6)]
    raised = await asyncio.gather(*(findings.raise_once(finding) for finding in seen))
    assert [new for _, new in raised].count(True) == 1
    [only] = await findings.open("w")
    assert sorted(only.evidence) == [f"r{n}" for n in range(6)]
