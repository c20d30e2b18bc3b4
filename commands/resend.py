"""/resend: shows an answer once more, where nobody can tell whether it had arrived."""

from dataclasses import replace

from bot.command import Ask, Command
from bot.errors import Forbidden
from bot.model.codec import reply_from_json
from bot.model.message import Reply
from bot.model.person import Role
from commands.parsing import find_run


async def resend(ask: Ask) -> Reply:
    run = await find_run(ask, ask.args)
    if run.conversation != ask.run.conversation:
        raise Forbidden(
            f"run {run.id} is of another conversation",
            said="That answer belongs to another conversation. Ask for it there.",
        )
    if not run.reply:
        return Reply(f"Run {run.short} has no answer yet: it is {run.status.value}.")
    # Its buttons stay those of the run that it answers.
    return replace(reply_from_json(run.reply), picture=None)


COMMAND = Command(
    name="resend",
    help="Show an answer again",
    run=resend,
    usage="RUN",
    examples=("/resend 8c1f02ab",),
    role=Role.GUEST,
    slash=False,
    hidden=True,
)
