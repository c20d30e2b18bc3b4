"""A node in a process of its own that ticks twenty hours at once, for tests with two of them."""

import asyncio
import sys
from pathlib import Path

from bot.clock import SystemClock, SystemIds
from bot.model.job import Schedule
from bot.services import Services
from jobs.job import Job, JournalRuns
from jobs.scheduler import Scheduler
from storage.durable import DbosDurable
from storage.engine import Database, url_of
from storage.jobstates import JobStateStore
from storage.journal import RunJournal
from storage.runs import RunStore
from tests.jobs.bench import services

HOUR = 3_600_000


async def main(url: str, home: Path, name: str) -> None:
    db, clock, ids = Database(url_of(url, home)), SystemClock(), SystemIds()
    journal, runs, durable = RunJournal(db), RunStore(db), DbosDurable(home, name, postgres=url)

    async def count(services: Services, workspace: str, run_id: str) -> str:
        with (home / "done").open("a") as file:
            file.write(f"{run_id}\n")
        return name

    scheduler = Scheduler(
        {"count": Job(count, Schedule(every_seconds=3600))},
        JobStateStore(db),
        JournalRuns(journal, runs, clock, ids, name),
        durable,
        clock,
        "local",
        str,
    )
    scheduler.bind(services(db, clock, ids))
    journal.start()
    await durable.launch()
    hours = range(1, 21)
    await asyncio.gather(*(scheduler.tick("count", hour * HOUR) for hour in hours))
    for hour in hours:
        day, of_day = divmod(hour, 24)
        await durable.result(f"count@1970-01-{day + 1:02d}T{of_day:02d}:00:00Z", 60)
    await durable.close()
    await journal.close()
    await db.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
