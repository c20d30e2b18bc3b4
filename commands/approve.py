"""/approve: puts a proposal into use."""

from bot.command import Ask, Command
from bot.improve import cards
from bot.model.message import Button, Reply
from bot.model.person import Role
from commands.refs import proposal_ref


async def approve(ask: Ask) -> Reply:
    ref, _ = await proposal_ref(ask, COMMAND)
    proposal = await ask.services.desk.approve(ask.run.workspace, ref, ask.person)
    return Reply(
        f"✅ {proposal.ref} is approved. {cards.effect(proposal)} "
        f"If it makes things worse, `/rollback {proposal.ref}` undoes it.",
        buttons=(Button("Roll back", f"/rollback {proposal.ref}", "danger"),),
    )


COMMAND = Command(
    "approve",
    "Put a proposal into use",
    approve,
    usage="P12",
    examples=("/approve P12",),
    role=Role.APPROVER,
    in_order=False,
)
