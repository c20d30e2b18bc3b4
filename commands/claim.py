"""/claim: makes the first person of a platform who has the code from the log an owner."""

from hmac import compare_digest

from bot.command import Ask, Command
from bot.errors import Conflict, Forbidden
from bot.model.message import Reply
from bot.model.person import Role


async def claim(ask: Ask) -> Reply:
    services, workspace = ask.services, ask.run.workspace
    if ask.person.role is Role.OWNER:
        return Reply("You are an owner.", private=True)
    code = services.claim_code
    if not code or not compare_digest(ask.args.strip().encode(), code.encode()):
        raise Forbidden(
            f"{ask.person.id} claimed with a wrong code",
            said="That is not the code. It was printed in the log when I started.",
        )
    if await services.people.addresses(workspace, ask.run.channel, Role.OWNER):
        raise Conflict(
            f"{ask.person.id} claimed, but {ask.run.channel} has an owner",
            said=f"{ask.run.channel} has an owner already. They can make you one with /role.",
        )
    await services.people.set_role(workspace, ask.person.id, Role.OWNER)
    return Reply("You are the owner now. `/role` gives others more to do.", private=True)


COMMAND = Command(
    "claim",
    "Become the owner, with the code that was printed in the log",
    claim,
    usage="code",
    examples=("/claim 4f9a…",),
    role=Role.GUEST,
    slash=False,
    hidden=True,
)
