"""/retry: runs an expired or failed request once more."""

from bot.command import Ask, Command
from bot.errors import BadInput, Forbidden
from bot.model.message import Reply
from bot.model.person import Role
from bot.model.run import OPEN, RunStatus
from commands.again import say
from commands.parsing import find_run, last_run


async def retry(ask: Ask) -> Reply:
    run = await (find_run(ask, ask.args) if ask.args else last_run(ask))
    # Run with the rights of whoever presses, the text must be their own.
    if run.person != ask.person.id:
        raise Forbidden(
            f"{ask.person.id} may not retry {run.id} of {run.person}",
            said="Only who asked can ask again. Send the message yourself, please.",
        )
    if run.status in OPEN:
        return Reply(f"{run.short} is under way.")
    if run.error_type == "too_long":
        raise BadInput(f"{run.id} was too long", said="That message was too long to be kept whole.")
    if run.files and run.channel != ask.run.channel:
        raise BadInput(
            f"files of {run.channel}",
            said="That message came with files on another platform. Send it again there, please.",
        )
    # An expired message is run once, however often the button is pressed.
    key = run.id if run.status is RunStatus.EXPIRED else f"{run.id}:{ask.run.id}"
    turns = tuple(run.history)
    accepted = await say(
        ask,
        run.message,
        key=f"retry:{key}",
        agent=run.agent_hint,
        history=turns,
        files=run.files,
    )
    again = " already" if accepted.duplicate and ask.run.attempt == 1 else ""
    return Reply(f"Running it now{again}: `{accepted.run_id[-8:]}`.")


COMMAND = Command(
    "retry",
    "Run an expired or failed request of yours once more",
    retry,
    usage="[run]",
    examples=("/retry 1a2b3c4d",),
    role=Role.GUEST,
    slash=False,
    hidden=True,
)
