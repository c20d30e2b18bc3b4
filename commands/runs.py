"""/runs: the latest runs, each with its id."""

from collections.abc import Mapping

from bot.command import Ask, Command
from bot.model.message import Reply
from bot.model.person import Role
from bot.model.run import Run, RunKind
from bot.model.words import ago, duration, one_line, usd
from commands.parsing import closest, wrong

_MARKS = {
    "queued": "⏳",
    "running": "⏳",
    "succeeded": "✅",
    "failed": "❌",
    "cancelled": "⏹",
    "expired": "⌛",
    "refused": "🚫",
}
_TRIALS = 200
_KINDS: Mapping[str, tuple[str, ...]] = {
    "requests": (RunKind.REQUEST.value,),
    "commands": (RunKind.COMMAND.value,),
    "jobs": (RunKind.JOB.value,),
    "replays": (RunKind.REPLAY.value,),
}


async def runs(ask: Ask) -> Reply:
    words = [word.lstrip("-") for word in ask.args.lower().split()]
    everywhere = bool({"all", "jobs", "replays"} & set(words))
    kinds: tuple[str, ...] = _KINDS["requests"]
    for word in words:
        if word not in _KINDS and word != "all":
            why = f"{one_line(word, 20)} is no choice.{closest(word, _CHOICES)}"
            raise wrong(ask, COMMAND, f"{why} There are: {', '.join(_CHOICES)}.")
        kinds = _KINDS.get(word, kinds)
    if everywhere and not ask.person.role.may(Role.APPROVER):
        raise wrong(ask, COMMAND, "Runs outside this conversation are shown to approvers only.")
    found = await ask.services.runs.recent(
        ask.run.workspace,
        conversation="" if everywhere else ask.run.conversation,
        kinds=kinds,
        limit=20,
    )
    if not found:
        return Reply("No runs here yet.")
    now = ask.services.clock.now()
    tried = {run.trial for run in found if run.trial}
    trials = await ask.services.trials.list(ask.run.workspace, (), _TRIALS) if tried else ()
    refs = {trial.id: trial.ref for trial in trials}
    lines = [line(run, now, refs.get(run.trial, "")) for run in found if run.id != ask.run.id]
    return Reply("\n".join([*lines, "`/run` and `/why` with an id show more."]))


def line(run: Run, now: int, trial: str = "") -> str:
    """`trial` is the ref of the one that it is part of."""
    who = f"{run.agent} v{run.agent_version}" if run.agent else run.kind.value
    rated = "" if run.outcome.y is None else f" · outcome {run.outcome.y:.2f}"
    return (
        f"- `{run.short}` {_MARKS[run.status]} {who} · {ago(run.created_at, now)} · "
        f"{duration(run.latency_ms)} · {usd(run.usage.cost_usd)}{rated}{_arm(run, trial)} · "
        f"{one_line(run.message, 60)}"
    )


def _arm(run: Run, trial: str) -> str:
    return f" · {trial or 'a trial'} {run.arm}" if run.trial else ""


_CHOICES = (*_KINDS, "all")

COMMAND = Command(
    "runs",
    "List the latest runs of this conversation",
    runs,
    usage="[all] [requests | commands | jobs | replays]",
    examples=("/runs", "/runs all", "/runs jobs", "/runs replays"),
    more="Replays are recorded requests done again for a proposal. A run that is part of a trial "
    "says which, and whether it got the change (candidate) or what is in use (incumbent).",
)
