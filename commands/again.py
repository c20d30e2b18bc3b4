"""Saying something to an agent on a person's behalf, as a new message of theirs."""

from bot.command import Ask
from bot.errors import Forbidden
from bot.model.file import FileRef
from bot.model.message import Message, Sender, Turn
from bot.ports.channels import Accepted

_LOCAL = "local"


async def say(
    ask: Ask,
    text: str,
    *,
    key: str,
    agent: str = "",
    history: tuple[Turn, ...] = (),
    files: tuple[FileRef, ...] = (),
) -> Accepted:
    """Accepts `text` in the conversation of the command; the same `key` is one message."""
    return await ask.services.inbox.accept(
        Message(
            workspace=ask.run.workspace,
            channel=ask.run.channel,
            event_id=key,
            conversation=ask.run.conversation,
            sender=await _sender(ask),
            text=text,
            address=ask.run.address,
            agent=agent or None,
            history=history,
            files=files,
        )
    )


async def _sender(ask: Ask) -> Sender:
    known = await ask.services.people.identities(ask.run.workspace, ask.person.id)
    for identity in known:
        if identity.channel == ask.run.channel:
            return Sender(identity.external_id, ask.person.name)
    if any(identity.channel == _LOCAL for identity in known):
        return Sender("owner", ask.person.name, trusted_local=True)
    raise Forbidden(
        f"{ask.person.id} has no identity on {ask.run.channel}",
        said="I can't tell who you are on this channel. Send the message yourself, please.",
    )
