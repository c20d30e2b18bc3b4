"""What a person finds on their own page: sections from the records, in no platform's words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.improve import cards
from bot.improve.deciding import touched
from bot.improve.pressing import Presses
from bot.improve.trials.figures import read
from bot.improve.trials.ratchet import gained
from bot.improve.trials.telling import progress
from bot.model.budget import Period
from bot.model.job import JobState
from bot.model.message import Button
from bot.model.person import Person, Role
from bot.model.proposal import IN_USE, Proposal, ProposalStatus
from bot.model.run import RunKind
from bot.model.trial import Trial, TrialStatus
from bot.model.words import ago, count, one_line, usd
from bot.model.workspace import HOME
from bot.numbers import coverage, success, totals
from bot.services import Services

_S = ProposalStatus
_WEEK = 7 * 86_400_000
_AGENTS, _RUNS, _LOOKED_AT, _PROPOSALS, _JOBS = 10, 5, 200, 5, 12
_PERIODS = {Period.DAY: "today", Period.MONTH: "this month"}


@dataclass(frozen=True, slots=True)
class Section:
    """`lines` are CommonMark, one paragraph each; every button is a command."""

    title: str
    lines: tuple[str, ...] = ()
    buttons: tuple[Button, ...] = ()


async def page(services: Services, workspace: str, person: Person) -> tuple[Section, ...]:
    """For this person, by their role: nothing that it may not see. A guest's role is GUEST."""
    if not person.role.may(Role.MEMBER):
        return (_greeting(person),)
    sections = [
        _greeting(person),
        *await _waiting(services, workspace, person),
        await _runs(services, workspace, person),
        await _agents(services, workspace),
    ]
    if person.role.may(Role.OWNER):
        sections += [
            await _week(services, workspace),
            await _in_use(services, workspace),
            await _budgets(services, workspace),
        ]
        if workspace == HOME:  # the jobs are the installation's, not a guest team's
            sections.append(await _jobs(services, workspace))
    return tuple(sections)


def _greeting(person: Person) -> Section:
    name = f", {one_line(person.name, 60)}" if person.name else ""
    if not person.role.may(Role.MEMBER):
        said = "You are a guest here. Ask me where a member has invited you to."
        return Section(f"Hello{name}", (said,))
    said = "Write to me in Messages, or mention me in a channel. Rate what I answer: I learn by it."
    return Section(f"Hello{name}", (said,), (Button("What can I say?", "/help"),))


async def _waiting(services: Services, workspace: str, person: Person) -> list[Section]:
    offered = await services.proposals.list(workspace, [_S.OFFERED])
    if person.role.may(Role.APPROVER):
        found = [(p, await services.desk.pressing.of(p, person)) for p in offered]
        mine = [(p, may) for p, may in found if may.change]
        mine.sort(key=lambda one: not one[1].approve)
        more = len(mine) - _PROPOSALS
        said = f"{count(more, 'more')}: `/proposals` lists them." if more > 0 else ""
        none = "" if mine else "Nothing waits for you."
        head = Section("Waiting for your decision", tuple(filter(None, (none, said))))
        return [head, *(_to_decide(p, may) for p, may in mine[:_PROPOSALS])]
    asked = [p for p in offered if p.created_by == person.id][:_PROPOSALS]
    if not asked:
        return []
    lines = tuple(f"**{p.ref}** {one_line(p.title, 150)}" for p in asked)
    buttons = tuple(Button(f"Show {p.ref}", f"/proposals {p.ref}") for p in asked)
    return [Section("What you asked for, waiting for an approver", lines, buttons)]


def _to_decide(proposal: Proposal, may: Presses) -> Section:
    """What they may not press isn't there, and it says why."""
    ref = proposal.ref
    said = (one_line(proposal.expected, 300), one_line(may.why, 200))
    return Section(
        "",
        (f"**{ref}** {one_line(proposal.title, 150)}", *filter(None, said)),
        (*cards.buttons(proposal, approve=may.approve), Button("Details", f"/proposals {ref}")),
    )


async def _runs(services: Services, workspace: str, person: Person) -> Section:
    recent = await services.runs.recent(workspace, kinds=[RunKind.REQUEST.value], limit=_LOOKED_AT)
    own = [run for run in recent if run.person == person.id][:_RUNS]
    now = services.clock.now()
    lines = tuple(
        f"{ago(run.created_at, now)} · {run.agent or 'no agent'} · {run.status.value} · "
        f"{one_line(run.message, 120)} · `{run.short}`"
        for run in own
    )
    buttons = tuple(Button(f"Show {run.short}", f"/run {run.short}") for run in own)
    return Section("Your last requests", lines or ("None yet.",), buttons)


async def _agents(services: Services, workspace: str) -> Section:
    found = await services.agents.current(workspace)
    lines = [
        f"**@{a.name}** v{a.version} · {one_line(a.specialty, 160)}"
        + (f" · {count(len(a.playbook), 'lesson')}" if a.playbook else "")
        for a in found[:_AGENTS]
    ]
    if not lines:
        lines = ["They are here with your first message."]
    return Section("Agents", tuple(lines), (Button("Agents", "/agents"),))


async def _week(services: Services, workspace: str) -> Section:
    now = services.clock.now()
    week = totals(await services.metrics.by_agent(workspace, now - _WEEK, now + 1))
    if not week.runs:
        return Section("This week", ("No requests yet.",))
    cost = usd(week.cost_usd)
    if week.cost_unknown:
        cost += f", and {count(week.cost_unknown, 'run')} of unknown cost not counted"
    lines = (
        f"{count(week.runs, 'request')} · success {success(week.good, week.scored)}",
        f"{coverage(week)} · cost {cost}",
    )
    return Section("This week", lines, (Button("Metrics", "/metrics 7"),))


async def _in_use(services: Services, workspace: str) -> Section:
    found = (await services.proposals.list(workspace, IN_USE))[:_PROPOSALS]
    tried = {t.proposal: t for t in await services.trials.list(workspace)}
    lines = tuple(
        f"**{p.ref}** {one_line(p.title, 150)} · {_stands(p, tried.get(p.ref))}" for p in found
    )
    buttons = [
        Button(f"Roll back {p.ref}", f"/rollback {p.ref}", "danger", asks="Why is it taken back?")
        for p in found
        if p.status is _S.TRIALLED
        or p.applied is None
        or not await services.brake.protected(workspace, touched(p))
    ]
    buttons += [Button("Progress", "/progress")] if found else []
    return Section("Improvements in use and on trial", lines or ("None yet.",), tuple(buttons))


def _stands(proposal: Proposal, trial: Trial | None) -> str:
    """On trial, or in use with what was measured of it."""
    if trial and proposal.status is _S.TRIALLED:
        waits = trial.status is TrialStatus.QUEUED
        return f"{trial.ref}: " + ("waits" if waits else progress(trial, read(trial.numbers)))
    if trial and proposal.status is _S.KEPT:
        return f"kept: {gained(trial)} ({trial.ref})"
    return proposal.status.value.replace("_", " ")


async def _budgets(services: Services, workspace: str) -> Section:
    lines = tuple(
        f"{usd(spent)} of {usd(budget.limit_usd)} {_PERIODS[budget.period]}"
        for budget, spent in await services.purse.of_workspace(workspace)
    )
    return Section("Budget", lines or ("None is set.",), (Button("All budgets", "/budget"),))


async def _jobs(services: Services, workspace: str) -> Section:
    states = await services.jobs.states(workspace)
    now = services.clock.now()
    ill = [state for state in states if state.paused or state.last_status == "failed"]
    buttons = [Button("All jobs", "/jobs"), *_job_buttons(ill[:_JOBS])]
    lines = tuple(_job(state, now) for state in states[:_JOBS])
    return Section("Jobs", lines or ("There are none.",), tuple(buttons))


def _job(state: JobState, now: int) -> str:
    if state.paused:
        return f"**{state.name}** is paused"
    last = ago(state.last_tick_at, now) if state.last_tick_at else "never ran"
    return f"**{state.name}** · {last}" + (f" · {state.last_status}" if state.last_status else "")


def _job_buttons(ill: Sequence[JobState]) -> Iterator[Button]:
    for state in ill:
        if state.paused:
            yield Button(f"Resume {state.name}", f"/jobs resume {state.name}")
        else:
            yield Button(f"Run {state.name} again", f"/jobs run {state.name}")
