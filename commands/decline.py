"""/decline: turns a proposal down, with the reason."""

from bot.command import Ask, Command
from bot.improve.showing import Edited
from bot.model.message import Reply
from bot.model.person import Role
from commands.refs import look_again, pressed_again, proposal_named


async def decline(ask: Ask) -> Reply:
    named = await proposal_named(ask, COMMAND)
    try:
        proposal = await ask.services.desk.decline(
            ask.run.workspace, named.ref, ask.person, named.rest, named.revision
        )
    except Edited as edited:
        return await look_again(ask, edited)
    if again := pressed_again(ask, proposal):
        return again
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
