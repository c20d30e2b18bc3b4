"""/save-workflow: keeps the steps of a run as a runbook that can be called by name."""

import re
from collections.abc import Mapping, Sequence

from bot.agents.router import without_mention
from bot.command import Ask, Command
from bot.errors import BadInput
from bot.improve import cards
from bot.llm.offline import INTRODUCTION, NO_MODEL
from bot.model.delivery import place_of
from bot.model.message import Button, Reply
from bot.model.proposal import ProposalStatus
from bot.model.run import Run, Step, StepKind
from bot.model.words import one_line
from bot.model.workflow import Workflow
from commands.parsing import find_run, last_run, wrong
from commands.recording import must_teach

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}\Z")
_LONGEST = 8_000


async def save_workflow(ask: Ask) -> Reply:
    words = ask.args.split()
    if not words or len(words) > 2:
        raise wrong(ask, COMMAND, "Give it a name of one word.")
    name = words[0].lower().replace("_", "-")
    if not NAME.match(name):
        raise wrong(ask, COMMAND, "A name has up to 40 letters, digits and hyphens.")
    run = await (find_run(ask, words[1]) if len(words) == 2 else last_run(ask))
    must_teach(run)
    if run.answer in (NO_MODEL, INTRODUCTION):
        raise BadInput(
            f"run {run.id} has no answer to keep",
            said=f"Run {run.short} got no answer, since no language model is connected: there is "
            "nothing in it to repeat. Name a run that got one: /runs lists them.",
        )
    steps = await ask.services.runs.steps(run.workspace, run.id)
    saved = await ask.services.workflows.save(
        Workflow(
            workspace=run.workspace,
            name=name,
            version=0,
            markdown=runbook(name, run, steps),
            source_run=run.id,
            created_by=ask.person.id,
            created_at=ask.run.created_at,
        )
    )
    offered, buttons = await _offered(ask, run, saved)
    return Reply(
        f"Saved run {run.short} as workflow **{name}** v{saved.version}. "
        f"`/workflow {name} …` runs it for another request.{offered}\n\n{saved.markdown}",
        buttons=buttons,
    )


async def _offered(ask: Ask, run: Run, saved: Workflow) -> tuple[str, tuple[Button, ...]]:
    """It is proposed to the agent that did the run, to follow by itself."""
    place = place_of(ask.run.channel, ask.run.address)
    try:
        proposal = await ask.services.desk.from_runbook(run, saved, ask.person, ask.run.id, place)
    except BadInput as error:
        return f" {error.said}", ()
    if proposal is None:
        return "", ()
    ref = proposal.ref
    if proposal.status not in (ProposalStatus.OFFERED, ProposalStatus.DRAFTED):
        return f" {ref}, to have {run.agent} follow it: {cards.status(proposal)}.", ()
    said = f" {ref} proposes that {run.agent} follows it by itself where a request is like this."
    return said, (Button(f"Show {ref}", f"/proposals {ref}"),)


def runbook(name: str, run: Run, steps: Sequence[Step]) -> str:
    """The run as steps for the next time, in markdown."""
    done = [line for step in steps if (line := _step(step))]
    numbered = [f"{n}. {line}" for n, line in enumerate(done, 1)] or ["1. Answer the request."]
    agent = f"{run.agent} v{run.agent_version}" if run.agent else "no agent"
    lines = [
        f"# {name}",
        f"Draft from run {run.short} ({agent}).",
        "## For requests like",
        f"> {one_line(without_mention(run.message, run.agent), 500)}",
        "## Steps",
        *numbered,
        "## An answer that was given",
        f"> {one_line(run.answer, 1500)}",
    ]
    text = "\n".join(lines)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _step(step: Step) -> str:
    if step.error_type:
        return ""
    if step.kind is StepKind.TOOL:
        given = step.input.get("arguments", "") if isinstance(step.input, Mapping) else ""
        return f"Use `{step.name}` as with `{one_line(str(given), 200).replace('`', chr(39))}`."
    if step.kind is StepKind.RECALL:
        return "Recall what is remembered about it."
    if step.kind is StepKind.COMMAND:
        return f"Say `/{step.name}`."
    if step.kind is StepKind.MODEL and not _calls(step):
        return "Answer from what was found."
    return ""


def _calls(step: Step) -> bool:
    return isinstance(step.output, Mapping) and bool(step.output.get("tool_calls"))


COMMAND = Command(
    "save-workflow",
    "Keep the steps of the last run as a workflow that can be called by name",
    save_workflow,
    usage="name [run]",
    examples=("/save-workflow weekly-report", "/save-workflow triage 1a2b3c4d"),
)
