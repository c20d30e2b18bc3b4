"""What it does on its own: one file per background job."""

from collections.abc import Mapping

from bot.model.job import Schedule
from jobs import (
    analyze,
    approvals,
    costs,
    digest,
    errors,
    expire,
    judge,
    mine,
    regression,
    regroup,
    replay,
    retention,
    roster,
    trials,
    vacuum,
)
from jobs.job import Job

SCHEDULE: Mapping[str, Job] = {
    "analyze": Job(analyze.work, Schedule(every_seconds=300, missed="catch_up")),
    "mine": Job(mine.work, Schedule(every_seconds=300, missed="catch_up")),
    "errors": Job(errors.work, Schedule(every_seconds=300, missed="catch_up")),
    "costs": Job(costs.work, Schedule(every_seconds=600, missed="catch_up")),
    "roster": Job(roster.work, Schedule(every_seconds=3600, missed="catch_up")),
    "regression": Job(regression.work, Schedule(every_seconds=300, missed="catch_up")),
    "replay": Job(replay.work, Schedule(every_seconds=60)),
    "judge": Job(judge.work, Schedule(every_seconds=300)),
    "digest": Job(digest.work, Schedule(every_seconds=300, missed="catch_up")),
    "approvals": Job(approvals.work, Schedule(every_seconds=60)),
    "trials": Job(trials.work, Schedule(every_seconds=60)),
    "expire": Job(expire.work, Schedule(every_seconds=3600, missed="catch_up")),
    "retention": Job(retention.work, Schedule(cron="17 3 * * *", missed="catch_up")),
    "regroup": Job(regroup.work, Schedule(cron="27 3 * * *")),
    "vacuum": Job(vacuum.work, Schedule(cron="47 3 * * *")),
}
