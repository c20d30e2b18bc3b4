"""/rollback: undoes an approved proposal."""

from bot.command import Ask, Command
from bot.model.message import Reply
from bot.model.person import Role
from bot.model.words import one_line
from commands.refs import proposal_ref


async def rollback(ask: Ask) -> Reply:
    ref, reason = await proposal_ref(ask, COMMAND)
    proposal = await ask.services.desk.rollback(ask.run.workspace, ref, ask.person, reason)
    why = one_line(reason, 400).rstrip(".")
    # The proposal keeps both in one line: why, and what was undone.
    undone = proposal.reason.removeprefix(f"{why}. ") if why else proposal.reason
    shown = f" ({why})" if undone != proposal.reason else ""
    return Reply(f"↩️ {proposal.ref} is rolled back{shown}. {undone}")


COMMAND = Command(
    "rollback",
    "Undo an approved proposal",
    rollback,
    usage="P12 [reason]",
    examples=("/rollback P12",),
    role=Role.APPROVER,
    in_order=False,
)
