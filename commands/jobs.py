"""/jobs: the background jobs: list, pause, resume, run now."""

from bot.command import Ask, Command
from bot.errors import Forbidden
from bot.model.job import JobState
from bot.model.message import Button, Reply
from bot.model.person import Role
from bot.model.words import ago, one_line, when
from bot.model.workspace import HOME
from commands.parsing import closest, wrong

_DOING = ("pause", "resume", "run")


async def jobs(ask: Ask) -> Reply:
    states = {s.name: s for s in await ask.services.jobs.states(ask.run.workspace)}
    words = ask.args.lower().replace("_", "-").split()
    if not words or words == ["list"]:
        return _listed(ask, list(states.values()))
    doing = "run" if words[0] in ("run-now", "start") else words[0]
    if doing not in _DOING:
        raise wrong(ask, COMMAND, f"{words[0][:20]} can't be done.{closest(doing, _DOING)}")
    named = [word for word in words[1:] if word != "now"]
    if len(named) != 1 or named[0] not in states:
        why = "Say which job."
        if named:
            why = f"There is no job {one_line(' '.join(named), 40)}.{closest(named[0], states)}"
        raise wrong(ask, COMMAND, f"{why} There are: {', '.join(states)}.")
    if not ask.person.role.may(Role.OWNER):
        raise Forbidden(
            f"{ask.person.id} may not {doing} {named[0]}",
            said=f"To {doing} a job takes an owner; you are a {ask.person.role.value}.",
        )
    return await _do(ask, doing, named[0])


async def _do(ask: Ask, doing: str, job: str) -> Reply:
    control, workspace = ask.services.jobs, ask.run.workspace
    if doing != "run" and workspace != HOME:
        raise Forbidden(
            f"{workspace} may not {doing} {job}",
            said="The jobs serve every workspace here: only the one that runs Ratchet pauses them.",
        )
    if doing == "run":
        run_id = await control.run_now(workspace, job, ask.run.id)
        return Reply(f"**{job}** runs now as `{run_id[-8:]}`.")
    await control.pause(workspace, job, doing == "pause")
    if doing == "pause":
        resume = Button("Resume", f"/jobs resume {job}")
        return Reply(f"**{job}** is paused. `/jobs resume {job}` goes on.", buttons=(resume,))
    return Reply(f"**{job}** goes on as scheduled.")


def _listed(ask: Ask, states: list[JobState]) -> Reply:
    if not states:
        return Reply("There are no jobs.")
    now = ask.services.clock.now()
    return Reply("\n".join(_line(state, now) for state in states))


def _line(state: JobState, now: int) -> str:
    last = "never ran"
    if state.last_tick_at:
        run = f" (`{state.last_run_id[-8:]}`)" if state.last_run_id else ""
        last = f"last {ago(state.last_tick_at, now)}: {state.last_status or 'started'}{run}"
    coming = "**paused**" if state.paused else f"next {when(state.next_at)}"
    return f"- **{state.name}** · {state.schedule} · {last} · {coming}"


COMMAND = Command(
    "jobs",
    "List the background jobs; pause, resume or run one now",
    jobs,
    usage="[pause | resume | run] [job]",
    examples=("/jobs", "/jobs pause analyze", "/jobs run analyze"),
)
