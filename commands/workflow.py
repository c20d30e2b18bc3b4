"""/workflow: runs a saved runbook for a request."""

from bot.command import Ask, Command
from bot.errors import NotFound
from bot.model.message import Reply
from bot.model.workflow import Workflow
from commands.again import say
from commands.parsing import closest, first_word, wrong


async def workflow(ask: Ask) -> Reply:
    name, request = first_word(ask.args)
    if not name:
        raise wrong(ask, COMMAND, "Say which workflow. /workflows lists them.")
    found = await find(ask, name)
    text = f"Work through this runbook, step by step:\n\n{found.markdown}"
    if request:
        text += f"\n\nThe request it is for now:\n{request}"
    accepted = await say(ask, text, key=f"workflow:{ask.run.id}", agent=await _agent(ask, found))
    return Reply(f"Running **{found.name}** v{found.version} as `{accepted.run_id[-8:]}`.")


async def find(ask: Ask, name: str) -> Workflow:
    """By its name, however it is written. Raises NotFound."""
    plain = name.lower().lstrip("/").replace("_", "-")
    if found := await ask.services.workflows.get(ask.run.workspace, plain):
        return found
    names = [w.name for w in await ask.services.workflows.list(ask.run.workspace)]
    said = f"There is no workflow {plain[:40]}.{closest(plain, names)} /workflows lists them."
    raise NotFound(f"no workflow {plain!r}", said=said)


async def _agent(ask: Ask, workflow: Workflow) -> str:
    """The agent that did it the first time, while there is one."""
    run = await ask.services.runs.get(workflow.workspace, workflow.source_run)
    names = [a.name for a in await ask.services.agents.current(workflow.workspace)]
    return run.agent if run and run.agent in names else ""


COMMAND = Command(
    "workflow",
    "Run a saved workflow for a request",
    workflow,
    usage="name [request]",
    examples=("/workflow weekly-report for the north team",),
)
