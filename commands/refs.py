"""The proposal that a command is about."""

import re
from dataclasses import dataclass, replace

from bot.command import Ask, Command
from bot.improve.showing import Edited
from bot.model.message import Reply
from bot.model.proposal import Proposal, ProposalStatus
from commands.parsing import first_word, wrong

_REF = re.compile(r"#?[Pp]?(\d{1,9})(?:\.(\d{1,4}))?[.,:]?\Z", re.ASCII)
_OPEN = {
    "rollback": (ProposalStatus.APPROVED, ProposalStatus.TRIALLED, ProposalStatus.KEPT),
}


@dataclass(frozen=True, slots=True)
class Named:
    """`revision` is the number of the edit that a button was made for; None where none is said."""

    ref: str
    revision: int | None
    rest: str


async def proposal_ref(ask: Ask, command: Command) -> tuple[str, str]:
    """("P12", the words after it). Raises BadInput that names the one that may be meant."""
    named = await proposal_named(ask, command)
    return named.ref, named.rest


async def proposal_named(ask: Ask, command: Command) -> Named:
    """Raises as `proposal_ref` does."""
    first, rest = first_word(ask.args)
    if typed := _REF.match(first):
        return Named(f"P{int(typed[1])}", int(typed[2]) if typed[2] else None, rest)
    wanted = _OPEN.get(command.name, (ProposalStatus.OFFERED,))
    latest = await ask.services.proposals.list(ask.run.workspace, wanted, 1)
    hint = f" The latest is {latest[0].ref}: {latest[0].title.rstrip('.')}." if latest else ""
    why = f"{first[:20]} is no proposal." if first else "Say which proposal."
    raise wrong(ask, command, f"{why}{hint}")


def pressed_again(ask: Ask, proposal: Proposal) -> Reply | None:
    """For whoever decided a moment ago and said so once more, as a double click does; a command
    that was cut off and is taken up again is the first one still."""
    mine = proposal.decided_by == ask.person.id and ask.run.attempt == 1
    if not mine or proposal.decided_at >= ask.run.created_at:
        return None
    said = f"You decided that already: {proposal.ref} is {proposal.status.value}. Once is enough."
    return Reply(said, private=True)


async def look_again(ask: Ask, edited: Edited) -> Reply:
    """The card as it is now, for whoever decided on other words."""
    card = await ask.services.desk.card(edited.proposal)
    return replace(card, text=f"{edited.said} Nothing is decided.")
