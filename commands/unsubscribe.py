"""/unsubscribe: the one answer to STOP on WhatsApp; the no itself is noted as it comes in."""

from bot.command import Ask, Command
from bot.model.message import Reply
from bot.model.person import Role
from commands import consent


async def unsubscribe(ask: Ask) -> Reply:
    if ask.run.channel != consent.CHANNEL:
        for contact in await consent.contacts(ask):
            await consent.say(ask, contact, "out", "unsubscribe")
        return Reply("You get no messages on WhatsApp any more. Digests elsewhere: `/digest`.")
    return Reply("You get no more messages from me here. Write START if you change your mind.")


COMMAND = Command(
    "unsubscribe",
    "End digests and approvals on WhatsApp",
    unsubscribe,
    examples=("/unsubscribe",),
    role=Role.GUEST,
    in_order=False,
    slash=False,
    hidden=True,
)
