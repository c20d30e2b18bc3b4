"""/subscribe: the answer to START on WhatsApp, where the yes itself is noted as it comes in."""

from bot.command import Ask, Command
from bot.model.message import Reply
from bot.model.person import Role
from commands import consent


async def subscribe(ask: Ask) -> Reply:
    if ask.run.channel != consent.CHANNEL:
        return Reply("Digests are chosen with `/digest`. On WhatsApp, write START to me there.")
    if not any(contact.consent == "in" for contact in await consent.contacts(ask)):
        return Reply("You have said STOP since. Write START once more if you want messages.")
    known = ask.person.role.may(Role.MEMBER)
    missing = "" if known else " An owner has to give you a role first, or say `link` and a code."
    return Reply(
        "You are in: approvals and digests that are meant for you come here from now on."
        f"{missing}\nSay `pause` for a break, `stop` to end it, `help` for what else works."
    )


COMMAND = Command(
    "subscribe",
    "Agree to digests and approvals on WhatsApp",
    subscribe,
    examples=("/subscribe",),
    role=Role.GUEST,
    in_order=False,
    slash=False,
    hidden=True,
)
