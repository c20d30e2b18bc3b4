"""What a person has said about WhatsApp messages that they didn't ask for."""

from bot.command import Ask
from bot.model.contact import Consent, Contact

CHANNEL = "whatsapp"


async def contacts(ask: Ask) -> list[Contact]:
    """The person's own WhatsApp contacts, wherever they say this."""
    store, workspace = ask.services.contacts, ask.run.workspace
    mine = await ask.services.people.identities(workspace, ask.person.id)
    found = [
        await store.get(workspace, CHANNEL, one.external_id)
        for one in mine
        if one.channel == CHANNEL
    ]
    return [contact for contact in found if contact is not None]


async def say(ask: Ask, contact: Contact, consent: Consent, word: str) -> None:
    at = max(ask.run.created_at, contact.consent_at)
    await ask.services.contacts.set_consent(
        ask.run.workspace, CHANNEL, contact.external_id, consent, at, word
    )
