"""/unfreeze: ends /freeze; what was approved meanwhile goes on."""

from bot.command import Ask, Command
from bot.model.message import Reply
from bot.model.person import Role
from bot.model.proposal import ProposalStatus
from commands.data import of_hold


async def unfreeze(ask: Ask) -> Reply:
    services, workspace = ask.services, ask.run.workspace
    if not await services.brake.unfreeze(workspace):
        return Reply("The loop isn't frozen.", data={"frozen": of_hold(None)})
    waiting = await services.proposals.unapplied(workspace)
    await services.desk.settle(workspace)
    await services.trying.go_on(workspace)
    now = [await services.proposals.get(workspace, one.ref) or one for one in waiting]
    ended = [one for one in now if one.status is ProposalStatus.SUPERSEDED]
    named = ", ".join(one.ref for one in now if one not in ended)
    said = f" Approved meanwhile, and going on now: {named}." if named else ""
    gone = "".join(f"\n{one.ref} was approved meanwhile and ends: {one.reason}" for one in ended)
    data = {
        "frozen": of_hold(None),
        "going_on": [one.ref for one in now if one not in ended],
        "ended": [{"ref": one.ref, "reason": one.reason} for one in ended],
    }
    return Reply(f"The loop goes on.{said}{gone}", data=data)


COMMAND = Command(
    "unfreeze",
    "Let the loop go on after /freeze",
    unfreeze,
    examples=("/unfreeze",),
    role=Role.OWNER,
    in_order=False,
)
