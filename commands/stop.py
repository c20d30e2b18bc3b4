"""/stop: ends what this conversation is busy with, and keeps what was said."""

from bot.command import Ask, Command
from bot.model.message import Reply
from bot.model.person import Role
from bot.model.run import OPEN
from bot.model.words import count
from commands.parsing import requests_here


async def stop(ask: Ask) -> Reply:
    services, workspace = ask.services, ask.run.workspace
    runs = await requests_here(ask, 100)
    busy = [run for run in runs if run.status in OPEN]
    others = ask.person.role.may(Role.MEMBER)
    mine = [run for run in busy if others or run.person == ask.person.id]
    # The waiting ones first, or the next would begin as the running one ends.
    stopped = [await services.inbox.cancel(workspace, run.id) for run in mine]
    if any(stopped):
        return Reply(f"Stopped {count(sum(stopped), 'request')}.")
    if busy:
        return Reply("What runs here is someone else's.")
    return Reply("Nothing is running in this conversation.")


COMMAND = Command(
    "stop",
    "Stop what runs in this conversation",
    stop,
    examples=("/stop",),
    role=Role.GUEST,
    in_order=False,
)
