"""/errors: the error knowledge base, what fails and what was tried against it."""

from bot.command import Ask, Command
from bot.model.message import Reply
from bot.model.person import Role
from commands import findings
from commands.parsing import wrong

_KINDS = ("error", "outage")


async def errors(ask: Ask) -> Reply:
    word = ask.args.lower().strip("#` ")
    if word not in ("", "open", "proposed", "known", "remedied") and len(word) < findings.REF:
        raise wrong(ask, COMMAND, "Say a status, the id of an error, or nothing.")
    if len(word) >= findings.REF and word not in ("proposed", "remedied"):
        return await findings.findings(ask)
    return await findings.listed(ask, word, "Nothing has failed yet.", _KINDS)


COMMAND = Command(
    "errors",
    "List what fails, what was tried against it and whether it came back",
    errors,
    usage="[open | proposed | known | remedied | id]",
    examples=("/errors", "/errors remedied", "/errors 3f9c01ab"),
    more="Failures with the same type, step and message are one error. It is remedied once a "
    "proposal against it is in use, and open again when it comes back.",
    role=Role.APPROVER,
)
