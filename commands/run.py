"""/run: one run in numbers, step by step."""

from dataclasses import replace

from bot.command import Ask, Command
from bot.model.message import Button, Reply
from bot.model.run import Run, RunKind, Step, Usage
from bot.model.words import duration, one_line, usd, when
from commands.parsing import find_run, last_run


async def show(ask: Ask) -> Reply:
    run = await (find_run(ask, ask.args) if ask.args else last_run(ask))
    steps = await ask.services.runs.steps(run.workspace, run.id)
    buttons = [Button("Why", f"/why {run.short}")]
    if run.kind is RunKind.REQUEST:
        buttons.append(
            Button("Make it better", f"/better {run.short}", asks="What should be better?")
        )
    secret = bool(run.reply.get("private")) and run.person != ask.person.id
    head = _head(replace(run, answer="(for them alone)") if secret else run)
    return Reply("\n".join([*head, *_steps(steps)]), buttons=tuple(buttons))


def _head(run: Run) -> list[str]:
    who = f"{run.agent} v{run.agent_version}" if run.agent else "no agent"
    lines = [
        f"**Run {run.short}** · {run.status.value} · {who}",
        f"`{run.id}`",
        f"Asked {when(run.created_at)} on {run.channel}: {one_line(run.message, 300)}",
    ]
    if run.answer:
        lines.append(f"Answered after {duration(run.latency_ms)}: {one_line(run.answer, 600)}")
    if run.error_type:
        lines.append(f"Error `{run.error_type}`: {one_line(run.error_message, 300)}")
    lines.append(f"{tokens(run.usage)} · cost {usd(run.usage.cost_usd)}")
    if run.outcome.y is not None:
        lines.append(f"Outcome {run.outcome.y:.2f}, by {run.outcome.source}")
    if run.attempt > 1:
        lines.append(f"Taken up {run.attempt - 1} times after a crash")
    return lines


def tokens(usage: Usage) -> str:
    cached = f" ({usage.tokens_cached:,} cached)" if usage.tokens_cached else ""
    about = "about " if usage.estimated else ""
    return f"{about}{usage.tokens_in:,} tokens in{cached}, {usage.tokens_out:,} out"


def _steps(steps: list[Step]) -> list[str]:
    if not steps:
        return []
    return ["", "Steps:", *(_step(step) for step in steps)]


def _step(step: Step) -> str:
    cost = ""
    if step.usage.tokens_in or step.usage.tokens_out:
        cost = f" · {tokens(step.usage)} · {usd(step.usage.cost_usd)}"
    error = f" · `{step.error_type}` {one_line(step.error_message, 120)}" if step.error_type else ""
    return (
        f"{step.seq + 1}. {step.kind.value} {step.name} · {duration(step.duration_ms)}{cost}{error}"
    )


COMMAND = Command(
    "run",
    "Show one run: what was asked, what it took, step by step",
    show,
    usage="[id]",
    examples=("/run", "/run 1a2b3c4d"),
)
