"""/why: how an answer came about: the routing, the memories, the lessons, the tools."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.command import Ask, Command
from bot.model.memory import of_user
from bot.model.message import Reply
from bot.model.prediction import from_json
from bot.model.run import Run, Step, StepKind
from bot.model.words import duration, one_line, usd
from commands.parsing import find_run, last_run


async def why(ask: Ask) -> Reply:
    run = await (find_run(ask, ask.args) if ask.args else last_run(ask))
    steps = await ask.services.runs.steps(run.workspace, run.id)
    lines = [f"**Why run {run.short} went the way it did**: {one_line(run.message, 160)}"]
    lines += _routing(run, steps)
    lines += _predicted(run, steps)
    lines += _memories(steps, of_user(ask.person.id))
    lines += _runbooks(steps)
    lines += await _lessons(ask, run)
    lines += _files(steps)
    lines += _tools(steps)
    if run.error_type:
        lines.append(f"**Ended with** `{run.error_type}`: {one_line(run.error_message, 300)}")
    return Reply("\n".join(lines))


def _routing(run: Run, steps: Sequence[Step]) -> list[str]:
    for step in steps:
        if step.kind is StepKind.ROUTE and isinstance(step.output, Mapping):
            scores: Mapping[str, float] = step.output.get("scores") or {}
            ranked = sorted((s for s in scores.items() if s[1] > 0), key=lambda s: -s[1])[:5]
            shown = ", ".join(f"{name} {score:.2f}" for name, score in ranked)
            among = f" (match: {shown})" if shown else ""
            reason = one_line(str(step.output.get("why", "")), 200)
            agent = f"**Agent** {run.agent} v{run.agent_version}: {reason}{among}"
            return [agent, *_trial(step.output.get("trial"))]
    return [f"**Agent** {run.agent} v{run.agent_version}"] if run.agent else ["No agent ran."]


def _predicted(run: Run, steps: Sequence[Step]) -> list[str]:
    """What was expected before it began, beside what came."""
    told = [
        step.output["predicted"]
        for step in steps
        if step.kind is StepKind.ROUTE
        and isinstance(step.output, Mapping)
        and isinstance(step.output.get("predicted"), Mapping)
    ]
    known = [one for one in told if "n" in one]
    if not known:
        return []
    found = from_json(known[0])
    expected = [str(found).removeprefix("predicted ")]
    if found.latency_ms:
        low, high = duration(found.latency_ms.low), duration(found.latency_ms.high)
        expected.append(f"{duration(found.latency_ms.middle)} [{low} to {high}]")
    if found.cost_usd:
        low, high = usd(found.cost_usd.low), usd(found.cost_usd.high)
        expected.append(f"{usd(found.cost_usd.middle)} [{low} to {high}]")
    y, source = run.outcome.y, run.outcome.source
    came = ["no outcome yet" if y is None else f"outcome {y:.2g} (by {one_line(source, 20)})"]
    came += [duration(run.latency_ms), usd(run.usage.cost_usd)] if run.finished_at else []
    return [f"**Predicted** {', '.join(expected)}", f"**Came** {', '.join(came)}"]


def _trial(told: object) -> list[str]:
    if not isinstance(told, Mapping):
        return []
    arm = {"candidate": "the new version", "incumbent": "the version in use"}
    got = arm.get(str(told.get("arm")), "one of the two")
    return [f"**Trial** {told.get('ref')}: {got}, {one_line(str(told.get('why')), 100)}"]


def _memories(steps: Sequence[Step], own: str) -> list[str]:
    found: list[Mapping[str, Any]] = [
        memory
        for step in steps
        if step.kind is StepKind.RECALL and isinstance(step.output, list)
        for memory in step.output
    ]
    if not found:
        return ["**Memories** none were used"]
    return ["**Memories**", *(_memory(memory, own) for memory in found)]


def _memory(memory: Mapping[str, Any], own: str) -> str:
    place = str(memory.get("namespace", ""))
    # Someone else's personal memory may have been used for them: it isn't shown to others.
    private = place.startswith("user:") and place != own
    text = "(kept for one person)" if private else one_line(str(memory.get("text", "")), 160)
    return f"- M{memory.get('number')} {text} (nearness {float(memory.get('score', 0)):.2f})"


def _runbooks(steps: Sequence[Step]) -> list[str]:
    names = [s.name.replace("@", " v") for s in steps if s.kind is StepKind.RUNBOOK]
    return [f"**Followed runbook** {one_line(', '.join(names), 200)}"] if names else []


async def _lessons(ask: Ask, run: Run) -> list[str]:
    version = await ask.services.agents.version(run.workspace, run.agent, run.agent_version)
    if version is None or not version.playbook:
        return []
    shown = [f"- {b.text}" + (f" ({b.source})" if b.source else "") for b in version.playbook]
    return [f"**Lessons** in {version.name} v{version.version}", *shown]


def _files(steps: Sequence[Step]) -> list[str]:
    """What came with the message, and what was read of it; never what stands in it."""
    read = [
        step.output
        for step in steps
        if step.kind is StepKind.FILE and isinstance(step.output, Mapping)
    ]
    told = [f"- {one_line(str(f['name']), 80)}: {_read(f)}" for f in read]
    return ["**Files**", *told] if told else []


def _read(file: Mapping[str, Any]) -> str:
    unread = "could not be read"
    return unread if file.get("kind") == "refused" else one_line(str(file.get("what")), 160)


def _tools(steps: Sequence[Step]) -> list[str]:
    used = [step for step in steps if step.kind is StepKind.TOOL]
    if not used:
        return []
    return ["**Tools**", *(_tool(step) for step in used)]


def _tool(step: Step) -> str:
    given = step.input.get("arguments", "") if isinstance(step.input, Mapping) else ""
    result = step.error_message if step.error_type else str(step.output)
    return f"- {step.name} {one_line(str(given), 120)} → {one_line(result, 200)}"


COMMAND = Command(
    "why",
    "Show how an answer came about: routing, memories, lessons, tools",
    why,
    usage="[id]",
    examples=("/why", "/why 1a2b3c4d"),
)
