"""/progress: the ratchet log: what came to stay, what each step gained, how the months compare."""

from collections.abc import Sequence
from datetime import UTC, datetime

import structlog

from bot.command import Ask, Command
from bot.improve.trials import ratchet
from bot.improve.trials.figures import Ratio
from bot.improve.trials.ratchet import Click, Month
from bot.model.message import Button, Picture, Reply
from bot.model.proposal import ProposalStatus
from bot.model.trial import TrialStatus
from bot.model.words import count, one_line
from bot.numbers import totals
from bot.pictures_of_steps import Step, of_steps
from commands.data import listed, of_month, of_step
from commands.parsing import closest, wrong

log = structlog.get_logger()

_MONTHS, _SHOWN, _MOST = 6, 12, 500


async def progress(ask: Ask) -> Reply:
    agent = await _agent(ask)
    services, workspace = ask.services, ask.run.workspace
    stays = (ProposalStatus.KEPT, ProposalStatus.APPROVED)
    proposals = await services.proposals.list(workspace, stays, _MOST)
    kept = await services.trials.list(workspace, [TrialStatus.KEPT], _MOST)
    clicks = ratchet.in_use(proposals, {t.proposal: t for t in kept}, agent)
    whose = f" of {agent}" if agent else ""
    months = await _months(ask, agent)
    lines = ratchet.compared(months)
    lines += ["", f"**The ratchet{whose}**: {count(len(clicks), 'step')}"]
    if len(clicks) > _SHOWN:
        lines.append(f"The last {_SHOWN}:")
    lines += [f"- {ratchet.told(click)}" for click in clicks[-_SHOWN:]]
    if not clicks:
        lines.append("Nothing has come to stay yet. `/better` begins it.")
    return Reply(
        "\n".join(lines).strip(),
        buttons=(Button("Trials", "/trials"),),
        picture=await _picture(f"The ratchet{whose}", clicks),
        data={
            **listed("steps", [of_step(click) for click in clicks]),
            **listed("months", [of_month(month) for month in months]),
        },
    )


async def _picture(title: str, clicks: Sequence[Click]) -> Picture | None:
    """Only of steps that were measured beside what they replaced."""
    steps = [step for click in clicks if (step := _step(click)).measured]
    if not steps:
        return None
    try:
        png = await of_steps(title, steps)
    except Exception:
        # The picture is an extra: whatever keeps it from being drawn, the numbers are told.
        log.exception("picture_not_drawn")
        return None
    return Picture(png, "What each step was measured to change: success, time and cost, old → new")


def _step(click: Click) -> Step:
    found = ratchet.measured(click)
    if found is None:
        return Step(ratchet.named(click))
    old, new = found.incumbent, found.candidate
    both = old.mean is not None and new.mean is not None
    success = ((old.mean or 0.0, old.scored), (new.mean or 0.0, new.scored)) if both else None
    return Step(ratchet.named(click), success, _pair(found.latency), _pair(found.cost))


def _pair(ratio: Ratio) -> tuple[float, float] | None:
    few = min(ratio.n_incumbent, ratio.n_candidate) < ratchet.LEAST
    if few or ratio.incumbent is None or ratio.candidate is None:
        return None
    return ratio.incumbent, ratio.candidate


async def _agent(ask: Ask) -> str:
    """ "" for all of them. Raises BadInput."""
    name = ask.args.lstrip("@").lower()
    known = [agent.name for agent in await ask.services.agents.current(ask.run.workspace)]
    if name and name not in known:
        why = f"There is no agent {one_line(name, 40)}.{closest(name, known)}"
        raise wrong(ask, COMMAND, f"{why} There are: {', '.join(known)}.")
    return name


async def _months(ask: Ask, agent: str) -> list[Month]:
    """The last months in UTC, this one last, without the empty ones before the first."""
    now = ask.services.clock.now()
    until, months = now + 1, list[Month]()
    first = datetime.fromtimestamp(now / 1000, UTC).replace(day=1, hour=0, minute=0, second=0)
    start = first.replace(microsecond=0)
    for _ in range(_MONTHS):
        since = round(start.timestamp() * 1000)
        found = await ask.services.metrics.by_agent(ask.run.workspace, since, until, agent)
        months.append(Month(f"{start:%B}", totals(found)))
        until = since
        start = start.replace(
            year=start.year - (start.month == 1), month=(start.month - 2) % 12 + 1
        )
    return months[::-1]


COMMAND = Command(
    "progress",
    "Show what has got better, by how much, and how it was measured",
    progress,
    usage="[agent]",
    examples=("/progress", "/progress writer"),
    more="Months are UTC. Only what was measured is said, with the number of runs behind it. The "
    "picture has the steps that were tried beside what they replaced.",
)
