"""/pause: no WhatsApp digests and approvals for oneself until /resume."""

from bot.command import Ask, Command
from bot.model.message import Button, Reply
from bot.model.person import Role
from commands import consent


async def pause(ask: Ask) -> Reply:
    mine = await consent.contacts(ask)
    active = [contact for contact in mine if contact.consent == "in"]
    for contact in active:
        await consent.say(ask, contact, "paused", "pause")
    if active or any(contact.consent == "paused" for contact in mine):
        return Reply(
            "Paused: you get no digests and no approvals on WhatsApp until you say `resume`. "
            "What you ask for yourself is still answered.",
            buttons=(Button("Resume", "/resume"),),
            private=True,
        )
    return Reply(
        "There is nothing to pause: you get no digests and approvals on WhatsApp. "
        "`/digest` is about digests elsewhere, `/jobs pause` about background jobs.",
        private=True,
    )


COMMAND = Command(
    "pause",
    "Pause your own digests and approvals on WhatsApp",
    pause,
    examples=("/pause",),
    role=Role.GUEST,
    in_order=False,
    slash=False,
    more="Only yours, and only on WhatsApp. Background jobs are paused with `/jobs pause`.",
)
