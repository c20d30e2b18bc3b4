"""/status: how it stands in a few lines: what waits, the last day, the money, the jobs."""

from collections.abc import Sequence

from bot.command import Ask, Command
from bot.improve.brake import frozen
from bot.model.budget import Period
from bot.model.job import JobState
from bot.model.message import Button, Reply
from bot.model.proposal import Proposal, ProposalStatus
from bot.model.run import RunStatus
from bot.model.trial import WAITING
from bot.model.words import count, one_line, share, usd
from bot.numbers import Totals, totals

_DAY = 86_400_000
_NAMED = 3
_MOST = 100


async def status(ask: Ask) -> Reply:
    services, workspace = ask.services, ask.run.workspace
    now = services.clock.now()
    waiting = await services.proposals.list(workspace, [ProposalStatus.OFFERED], _MOST)
    day = await services.metrics.by_agent(workspace, now - _DAY, now + 1)
    failed = [s for s in await services.jobs.states(workspace) if _failed(s)]
    lines = [_waiting(waiting), *await _loop(ask), _last_day(totals(day)), await _money(ask)]
    lines.append(_jobs(failed))
    buttons = tuple(Button(f"Show {p.ref}", f"/proposals {p.ref}") for p in waiting[:_NAMED])
    return Reply("\n".join(f"- {line}" for line in lines), buttons=buttons)


def _waiting(waiting: Sequence[Proposal]) -> str:
    if not waiting:
        return "Nothing waits for approval."
    named = "; ".join(f"**{p.ref}** {one_line(p.title, 60)}" for p in waiting[:_NAMED])
    more = f"; and {len(waiting) - _NAMED} more" if len(waiting) > _NAMED else ""
    verb = "waits" if len(waiting) == 1 else "wait"
    number = (
        f"{_MOST} or more proposals" if len(waiting) == _MOST else count(len(waiting), "proposal")
    )
    return f"{number} {verb} for approval: {named}{more}."


async def _loop(ask: Ask) -> list[str]:
    """What is on trial and what is held, where there is any."""
    workspace = ask.run.workspace
    hold = await ask.services.brake.frozen(workspace)
    trials = await ask.services.trials.list(workspace, WAITING, _MOST)
    lines = [frozen(hold)] if hold else []
    if trials:
        named = ", ".join(f"**{t.ref}** {one_line(t.title, 60)}" for t in trials[:_NAMED])
        more = f" and {len(trials) - _NAMED} more" if len(trials) > _NAMED else ""
        lines.append(f"On trial: {named}{more}. `/trials` says how far.")
    return lines


def _last_day(day: Totals) -> str:
    if not day.runs:
        return "No requests in the last 24 hours."
    known = f"success {share(day.good, day.scored)} of the {day.scored} with an outcome"
    outcomes = known if day.scored else "no outcomes yet"
    return f"{count(day.runs, 'request')} in the last 24 hours, {outcomes}."


async def _money(ask: Ask) -> str:
    parts = [
        f"{usd(spent)} of {usd(budget.limit_usd)} "
        f"{'today' if budget.period is Period.DAY else 'this month'}"
        f" ({share(spent, budget.limit_usd)})"
        for budget, spent in await ask.services.purse.of_workspace(ask.run.workspace)
    ]
    return f"Spent: {', '.join(parts)}." if parts else "No budget is set."


def _failed(state: JobState) -> bool:
    return state.last_status == RunStatus.FAILED.value


def _jobs(failed: Sequence[JobState]) -> str:
    if not failed:
        return "No job's last run failed."
    named = ", ".join(f"{s.name} (`{s.last_run_id[-8:]}`)" for s in failed)
    return f"Failed last time: {named}."


COMMAND = Command(
    "status",
    "Show in short what waits, how the last day went, what it cost, what failed",
    status,
    examples=("/status",),
)
