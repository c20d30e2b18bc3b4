"""/decline: turns a proposal down, with the reason."""

from bot.command import Ask, Command
from bot.model.message import Reply
from bot.model.person import Role
from commands.refs import proposal_ref


async def decline(ask: Ask) -> Reply:
    ref, reason = await proposal_ref(ask, COMMAND)
    proposal = await ask.services.desk.decline(ask.run.workspace, ref, ask.person, reason)
    why = f": {proposal.reason}" if proposal.reason else ", without a reason"
    return Reply(f"{proposal.ref} is declined{why}. It will not be proposed again.")


COMMAND = Command(
    "decline",
    "Turn a proposal down; it is kept with the reason and not proposed again",
    decline,
    usage="P12 reason",
    examples=("/decline P12 we tried that in spring",),
    role=Role.APPROVER,
    in_order=False,
)
