"""/resume: ends one's own /pause."""

from bot.command import Ask, Command
from bot.model.message import Reply
from bot.model.person import Role
from commands import consent


async def resume(ask: Ask) -> Reply:
    mine = await consent.contacts(ask)
    paused = [contact for contact in mine if contact.consent == "paused"]
    for contact in paused:
        await consent.say(ask, contact, "in", "resume")
    if paused or any(contact.consent == "in" for contact in mine):
        return Reply("Resumed: digests and approvals reach you on WhatsApp again.", private=True)
    return Reply(
        "Nothing was paused. To get digests and approvals on WhatsApp, write START to me there.",
        private=True,
    )


COMMAND = Command(
    "resume",
    "Get your digests and approvals on WhatsApp again",
    resume,
    examples=("/resume",),
    role=Role.GUEST,
    in_order=False,
    slash=False,
    more="What was opted out of with STOP is not resumed: that takes your START there.",
)
