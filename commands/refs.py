"""The proposal that a command is about."""

import re

from bot.command import Ask, Command
from bot.model.proposal import ProposalStatus
from commands.parsing import first_word, wrong

_REF = re.compile(r"#?[Pp]?(\d{1,9})[.,:]?\Z", re.ASCII)
_OPEN = {
    "rollback": (ProposalStatus.APPROVED, ProposalStatus.TRIALLED, ProposalStatus.KEPT),
}


async def proposal_ref(ask: Ask, command: Command) -> tuple[str, str]:
    """("P12", the words after it). Raises BadInput that names the one that may be meant."""
    first, rest = first_word(ask.args)
    if typed := _REF.match(first):
        return f"P{int(typed[1])}", rest
    wanted = _OPEN.get(command.name, (ProposalStatus.OFFERED,))
    latest = await ask.services.proposals.list(ask.run.workspace, wanted, 1)
    hint = f" The latest is {latest[0].ref}: {latest[0].title.rstrip('.')}." if latest else ""
    why = f"{first[:20]} is no proposal." if first else "Say which proposal."
    raise wrong(ask, command, f"{why}{hint}")
