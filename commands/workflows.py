"""/workflows: the saved runbooks, or one of them."""

from bot.command import Ask, Command
from bot.model.message import Button, Reply
from bot.model.words import when
from commands.workflow import find


async def workflows(ask: Ask) -> Reply:
    if ask.args:
        return Reply((await find(ask, ask.args.split()[0])).markdown)
    found = await ask.services.workflows.list(ask.run.workspace)
    if not found:
        return Reply("No workflow is saved yet. `/save-workflow name` keeps the last run as one.")
    lines = [f"- **{w.name}** v{w.version} · {when(w.created_at)}" for w in found]
    buttons = tuple(
        Button(f"Run {w.name}", f"/workflow {w.name}", asks="For which request?") for w in found[:5]
    )
    return Reply("\n".join([*lines, "`/workflow name …` runs one."]), buttons=buttons)


COMMAND = Command(
    "workflows",
    "List the saved workflows, or show one",
    workflows,
    usage="[name]",
    examples=("/workflows", "/workflows weekly-report"),
)
