"""/forget: takes a memory back."""

from bot.command import Ask, Command
from bot.errors import Forbidden, NotFound
from bot.model.memory import Memory, of_user
from bot.model.message import Reply
from bot.model.person import Role
from bot.model.words import one_line
from commands.parsing import wrong


async def forget(ask: Ask) -> Reply:
    ref = ask.args.split()[0] if ask.args else ""
    if not ref.lstrip("#Mm").isdigit():
        raise wrong(
            ask, COMMAND, "Say which memory. /remember lists yours, /remember org everyone's."
        )
    memory = await ask.services.memories.by_ref(ask.run.workspace, ref.lstrip("#"))
    if memory is None and ask.run.attempt > 1:
        # Taken up again after a crash: it is gone by this very command.
        return Reply(f"{one_line(ref, 20)} is forgotten.")
    if memory is None or not _visible(ask, memory):
        raise NotFound(f"no memory {ref}", said=f"I know no memory {one_line(ref, 20)}.")
    mine = memory.created_by == ask.person.id or memory.namespace == of_user(ask.person.id)
    if not (mine or ask.person.role.may(Role.APPROVER)):
        raise Forbidden(
            f"{ask.person.id} may not forget {memory.ref}",
            said=f"{memory.ref} is someone else's. Who made it or an approver can take it back.",
        )
    await ask.services.memory.forget(ask.run.workspace, memory)
    return Reply(f"{memory.ref} is forgotten.")


def _visible(ask: Ask, memory: Memory) -> bool:
    """What is kept for one person is nobody else's business, an owner's neither."""
    personal = memory.namespace.startswith("user:")
    return not personal or memory.namespace == of_user(ask.person.id)


COMMAND = Command(
    "forget",
    "Take a memory back",
    forget,
    usage="M7",
    examples=("/forget M7",),
)
