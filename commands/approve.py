"""/approve: puts a proposal into use."""

from bot.command import Ask, Command
from bot.improve import cards
from bot.improve.showing import Edited
from bot.improve.trials import telling
from bot.model.message import Button, Reply
from bot.model.person import Role
from bot.model.proposal import Proposal, ProposalStatus
from commands.refs import look_again, pressed_again, proposal_named


async def approve(ask: Ask) -> Reply:
    named = await proposal_named(ask, COMMAND)
    desk, workspace = ask.services.desk, ask.run.workspace
    try:
        proposal = await desk.approve(
            workspace, named.ref, ask.person, named.revision or 0, run=ask.run.id
        )
    except Edited as edited:
        return await look_again(ask, edited)
    if proposal.status is ProposalStatus.OFFERED:
        return Reply(
            f"☑️ Your approval of {proposal.ref} is noted. It takes someone else's as well: nothing "
            "has changed yet."
        )
    if again := pressed_again(ask, proposal):
        return again
    return Reply(
        f"✅ {proposal.ref} is approved. {await _comes_of(ask, proposal)} "
        f"If it makes things worse, `/rollback {proposal.ref}` undoes it.",
        buttons=(Button("Roll back", f"/rollback {proposal.ref}", "danger"),),
    )


async def _comes_of(ask: Ask, proposal: Proposal) -> str:
    """What happens now."""
    if proposal.status is ProposalStatus.TRIALLED and (
        trial := await ask.services.trying.of(proposal)
    ):
        return telling.begun(trial)
    waits = proposal.applied is None
    frozen = waits and bool(await ask.services.brake.frozen(proposal.workspace))
    return cards.effect(proposal, frozen)


COMMAND = Command(
    "approve",
    "Put a proposal into use",
    approve,
    usage="P12",
    examples=("/approve P12", "/approve P12.1"),
    more="After an edit say which words you mean: P12.1 are those of the first one. The button on "
    "the card does.",
    role=Role.APPROVER,
    in_order=False,
)
