"""/unfreeze: ends /freeze; what was approved meanwhile goes on."""

from bot.command import Ask, Command
from bot.model.message import Reply
from bot.model.person import Role


async def unfreeze(ask: Ask) -> Reply:
    services, workspace = ask.services, ask.run.workspace
    if not await services.brake.unfreeze(workspace):
        return Reply("The loop isn't frozen.")
    waiting = await services.proposals.unapplied(workspace)
    await services.desk.settle(workspace)
    await services.trying.go_on(workspace)
    named = ", ".join(proposal.ref for proposal in waiting)
    said = f" Approved meanwhile, and going on now: {named}." if waiting else ""
    return Reply(f"The loop goes on.{said}")


COMMAND = Command(
    "unfreeze",
    "Let the loop go on after /freeze",
    unfreeze,
    examples=("/unfreeze",),
    role=Role.OWNER,
    in_order=False,
)
