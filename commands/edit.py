"""/edit: changes the words of a proposal before it is decided."""

from bot.command import Ask, Command
from bot.errors import NotFound
from bot.improve.showing import Edited
from bot.model.message import Button, Reply
from bot.model.person import Role
from bot.model.words import one_line
from commands.refs import look_again, proposal_named


async def edit(ask: Ask) -> Reply:
    named = await proposal_named(ask, COMMAND)
    services, workspace, ref = ask.services, ask.run.workspace, named.ref
    if named.rest:
        try:
            return await services.desk.card(
                await services.desk.edit(workspace, ref, ask.person, named.rest, named.revision)
            )
        except Edited as edited:
            return await look_again(ask, edited)
    proposal = await services.proposals.get(workspace, ref)
    if proposal is None:
        raise NotFound(f"no proposal {ref}", said=f"I know no proposal {ref}.")
    now = proposal.words
    earlier = [f"- before an edit: {one_line(str(e['was']), 300)}" for e in proposal.was]
    lines = [f"{proposal.ref} says now:\n> {now}\n", *earlier]
    return Reply(
        "\n".join([*lines, f"Say `/edit {proposal.ref}` and then the new words."]),
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
