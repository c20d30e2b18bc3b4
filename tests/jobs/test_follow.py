"""How detectors read the log: each run once, whatever the pages, the kills and the clock."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import insert, update

from bot.clock import SystemIds
from bot.improve.detect.seen import Seen
from bot.model.run import Outcome, Run, RunKind, RunStatus
from bot.ports.stores import Closed, State, States
from bot.services import Services
from jobs.follow import follow
from storage.engine import Database
from storage.rows import run_row
from storage.tables import runs
from tests.conftest import HeldClock
from tests.jobs.bench import services as make
from tests.samples import run as a_run

HOUR = 3_600_000


@pytest.fixture
def services(db: Database, clock: HeldClock, ids: SystemIds) -> Services:
    return make(db, clock, ids)


async def keep(db: Database, made: Sequence[Run]) -> list[str]:
    """Closed as the journal leaves them, scored as soon as they ended."""
    rows = [
        run_row(run)
        | {
            "finished_at": run.created_at + 9,
            "outcome": run.outcome.y,
            "outcome_source": run.outcome.source,
            "scored_at": 0 if run.outcome.y is None else run.created_at + 9,
        }
        for run in made
    ]
    async with db.write() as conn:
        await conn.execute(insert(runs), rows)
    return [run.id for run in made]


def some(clock: HeldClock, count: int, **changes: Any) -> list[Run]:
    given = {"status": RunStatus.SUCCEEDED, "agent": "writer", "outcome": Outcome(1.0, "check")}
    begin = clock.now() - 60_000
    return [a_run(created_at=begin + n, **(given | changes)) for n in range(count)]


async def gather(known: dict[str, Any], page: Sequence[Closed]) -> list[Seen]:
    known["ids"] = [*known.get("ids", ()), *(run.id for run in page)]
    named = tuple(run.id for run in page)
    return [Seen("test", "writer", "all", "Seen", "", named, count=len(known["ids"]))]


async def gathered(services: Services, name: str = "gather") -> list[str]:
    state = (await services.states.get("local", name)).state
    known: Any = state.get("known", {})
    return list(known.get("ids", ()))


@pytest.mark.parametrize("scored", [False, True])
async def test_any_pages_come_to_the_same(
    db: Database, services: Services, clock: HeldClock, scored: bool
) -> None:
    expected = await keep(db, some(clock, 17))
    await keep(db, some(clock, 1, workspace="other"))
    await keep(db, some(clock, 1, kind=RunKind.JOB))
    await keep(db, some(clock, 1, channel="whatsapp"))
    for page, pages in ((1, 1), (2, 3), (5, 2), (17, 1), (1000, 50)):
        name = f"by-{page}"
        read = await follow(
            services, "local", name, Closed, gather, scored=scored, page=page, pages=pages
        )
        assert (read, await gathered(services, name)) == (17, expected)
        assert await follow(services, "local", name, Closed, gather, scored=scored) == 0
    [finding] = await services.findings.open("local")
    assert (finding.count, set(finding.evidence)) == (17, set(expected))
    assert await services.findings.open("other") == []


async def test_a_second_pass_reads_what_is_new_only(
    db: Database, services: Services, clock: HeldClock
) -> None:
    first = await keep(db, some(clock, 5))
    assert await follow(services, "local", "gather", Closed, gather, page=2) == 5
    second = await keep(db, some(clock, 3))
    assert await follow(services, "local", "gather", Closed, gather, page=2) == 3
    assert await gathered(services) == first + second


@dataclass
class Dying:
    """States whose process is killed at the nth save."""

    states: States
    saves: int

    async def get(self, workspace: str, name: str) -> State:
        return await self.states.get(workspace, name)

    async def since(self, workspace: str, name: str, revision: int) -> State | None:
        return await self.states.since(workspace, name, revision)

    async def move(self, workspace: str, name: str, before: State, after: State, at: int) -> bool:
        self.saves -= 1
        if self.saves < 0:
            raise KeyboardInterrupt
        return await self.states.move(workspace, name, before, after, at)


@pytest.mark.parametrize("saves", [0, 1, 2])
async def test_a_kill_before_the_save_folds_nothing_twice_and_loses_nothing(
    db: Database, services: Services, clock: HeldClock, saves: int
) -> None:
    expected = await keep(db, some(clock, 9))
    dying = replace(services, states=Dying(services.states, saves))
    with pytest.raises(KeyboardInterrupt):
        await follow(dying, "local", "gather", Closed, gather, page=2, pages=2)
    assert await gathered(services) == expected[: saves * 4]
    await follow(services, "local", "gather", Closed, gather, page=3, pages=1)
    assert await gathered(services) == expected
    [finding] = await services.findings.open("local")
    assert (finding.count, len(finding.evidence)) == (9, 9)


async def test_one_of_two_nodes_folds(db: Database, services: Services, clock: HeldClock) -> None:
    expected = await keep(db, some(clock, 6))

    async def overtaken(known: dict[str, Any], page: Sequence[Closed]) -> list[Seen]:
        await follow(services, "local", "gather", Closed, gather)
        return await gather(known, page)

    assert await follow(services, "local", "gather", Closed, overtaken) == 0
    assert await gathered(services) == expected
    [finding] = await services.findings.open("local")
    assert finding.count == 6


async def test_a_run_that_closes_late_is_read_when_it_does(
    db: Database, services: Services, clock: HeldClock
) -> None:
    [slow] = await keep(db, some(clock, 1, status=RunStatus.RUNNING))
    quick = await keep(db, some(clock, 2))
    for _ in range(2):
        await follow(services, "local", "gather", Closed, gather, page=2)
        assert await gathered(services) == quick
    async with db.write() as conn:
        await conn.execute(update(runs).where(runs.c.id == slow).values(status="failed"))
    for _ in range(2):
        await follow(services, "local", "gather", Closed, gather)
        assert await gathered(services) == [*quick, slow]


async def test_what_was_asked_just_now_waits_for_its_neighbours(
    db: Database, services: Services, clock: HeldClock
) -> None:
    expected = await keep(db, some(clock, 2))
    now = {"status": RunStatus.SUCCEEDED, "created_at": clock.now()}
    expected += await keep(db, [a_run(**now)])
    await follow(services, "local", "gather", Closed, gather)
    assert await gathered(services) == expected[:2]
    clock.advance(6)
    await follow(services, "local", "gather", Closed, gather)
    assert await gathered(services) == expected


@pytest.mark.parametrize("scored", [False, True])
async def test_a_clock_that_was_ahead_hides_no_run(
    db: Database, services: Services, clock: HeldClock, scored: bool
) -> None:
    """Ids go on from where the clock was; outcomes are stamped with the right time again."""
    year = 365 * 24 * 3600
    clock.advance(year)
    expected = await keep(db, some(clock, 2))
    await follow(services, "local", "gather", Closed, gather, scored=scored)
    clock.advance(-year)
    for count in (3, 1):
        expected += await keep(db, some(clock, count))
        await follow(services, "local", "gather", Closed, gather, scored=scored)
        assert await gathered(services) == expected
        clock.advance(60)


class _Earlier(SystemIds):
    """Ids of a process that began with a clock two hours behind."""

    def run_id(self) -> str:
        made = super().run_id().replace("-", "")
        stamp = f"{int(made[:12], 16) - 2 * HOUR:012x}"
        return f"{stamp[:8]}-{stamp[8:]}-{made[12:16]}-{made[16:20]}-{made[20:]}"


async def test_ids_that_have_gone_back_are_read_all_the_same(
    db: Database, services: Services, clock: HeldClock
) -> None:
    before = await keep(db, some(clock, 2))
    await follow(services, "local", "gather", Closed, gather)
    ids = _Earlier()
    again = replace(services, ids=ids)
    expected = before
    for _ in range(3):
        later = [replace(run, id=ids.run_id()) for run in some(clock, 2)]
        expected = expected + await keep(db, later)
        await follow(again, "local", "gather", Closed, gather)
        assert await gathered(services) == expected
