"""/edit: changes the words of a proposal before it is decided."""

from bot.command import Ask, Command
from bot.errors import NotFound
from bot.model.message import Button, Reply
from bot.model.person import Role
from commands.refs import proposal_ref


async def edit(ask: Ask) -> Reply:
    ref, text = await proposal_ref(ask, COMMAND)
    services, workspace = ask.services, ask.run.workspace
    if text:
        return await services.desk.card(await services.desk.edit(workspace, ref, ask.person, text))
    proposal = await services.proposals.get(workspace, ref)
    if proposal is None:
        raise NotFound(f"no proposal {ref}", said=f"I know no proposal {ref}.")
    change = proposal.change
    now = change.bullet or change.text or change.instructions
    return Reply(
        f"{proposal.ref} says now:\n> {now}\n\nSay `/edit {proposal.ref}` and then the new words.",
        buttons=(
            Button("Edit", f"/edit {proposal.ref}", asks="What should it say instead?", value=now),
        ),
    )


COMMAND = Command(
    "edit",
    "Change the words of a proposal before it is decided",
    edit,
    usage="P12 new words",
    examples=("/edit P12 answer in at most three sentences",),
    role=Role.APPROVER,
    in_order=False,
)
