"""/progress: the ratchet log: what came to stay, what each step gained, how the months compare."""

from datetime import UTC, datetime

from bot.command import Ask, Command
from bot.improve.trials import ratchet
from bot.improve.trials.ratchet import Month
from bot.model.message import Button, Reply
from bot.model.proposal import ProposalStatus
from bot.model.trial import TrialStatus
from bot.model.words import count, one_line
from bot.numbers import totals
from commands.parsing import closest, wrong

_MONTHS, _SHOWN, _MOST = 6, 12, 500


async def progress(ask: Ask) -> Reply:
    agent = await _agent(ask)
    services, workspace = ask.services, ask.run.workspace
    stays = (ProposalStatus.KEPT, ProposalStatus.APPROVED)
    proposals = await services.proposals.list(workspace, stays, _MOST)
    kept = await services.trials.list(workspace, [TrialStatus.KEPT], _MOST)
    clicks = ratchet.in_use(proposals, {t.proposal: t for t in kept}, agent)
    whose = f" of {agent}" if agent else ""
    lines = ratchet.compared(await _months(ask, agent))
    lines += ["", f"**The ratchet{whose}**: {count(len(clicks), 'step')}"]
    if len(clicks) > _SHOWN:
        lines.append(f"The last {_SHOWN}:")
    lines += [f"- {ratchet.told(click)}" for click in clicks[-_SHOWN:]]
    if not clicks:
        lines.append("Nothing has come to stay yet. `/better` begins it.")
    return Reply("\n".join(lines).strip(), buttons=(Button("Trials", "/trials"),))


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
    more="Months are UTC. Only what was measured is said, with the number of runs behind it.",
)
