"""Sends the digests that are due, each once, to those who want them and still may have them."""

import structlog

from bot.digest.facts import Window, window_of
from bot.digest.making import make
from bot.errors import RatchetError
from bot.model.contact import Contact
from bot.model.message import Card, Reply
from bot.model.person import Role
from bot.model.subscription import LATE_MS, Subscription, last_due
from bot.model.words import count
from bot.places import is_own
from bot.services import Services

log = structlog.get_logger()

_Made = dict[Window, tuple[Reply, bool]]
"""What was made in this tick: many want the same period at the same hour."""


async def work(services: Services, workspace: str, run_id: str) -> str:
    """One that can't be sent harms no other; it is tried again at the next tick. What nobody
    foresaw fails the job once the others are served: then the owner is told."""
    made: _Made = {}
    sent = late = 0
    broken: Exception | None = None
    for one in await services.subscriptions.all(workspace):
        try:
            sent += await _serve(services, one, made)
        except RatchetError as error:
            late += 1
            log.warning("digest_waits", person=one.person, channel=one.channel, cause=str(error))
        except Exception as error:
            broken = error
            log.exception("digest_broke", person=one.person, channel=one.channel)
    if broken:
        raise broken
    waits = f", {late} to be tried again" if late else ""
    return f"{count(sent, 'digest')} sent{waits}"


async def _serve(services: Services, one: Subscription, made: _Made) -> bool:
    now = services.clock.now()
    due = last_due(one, now)
    if due <= max(one.sent_at, one.created_at):
        return False
    if now - due > LATE_MS or not await _may_have(services, one):
        await services.subscriptions.settle(one, due)
        return False
    window = window_of(one, due)
    if window not in made:
        made[window] = await make(services, one.workspace, window)
    reply, happened = made[window]
    if happened or one.always:
        # The key makes it one message, so that it is sent before it is settled: a crash in
        # between sends nothing twice and loses nothing.
        key = f"digest:{one.person}:{one.cadence}:{window.since}:{one.place}"
        if not await services.post.to_place(
            one.workspace, one.channel, one.address, reply, key=key
        ):
            return False
    return await services.subscriptions.settle(one, due) and (happened or one.always)


async def _may_have(services: Services, one: Subscription) -> bool:
    """Rights, links and consent may have changed since it was asked for."""
    person = await services.people.get(one.workspace, one.person)
    own = is_own(one.channel, one.place)
    if person is None or not person.role.may(Role.MEMBER if own else Role.APPROVER):
        return False
    if own:
        known = await services.people.identities(one.workspace, one.person)
        if (one.channel, one.place) not in {(i.channel, i.external_id) for i in known}:
            return False
    name = one.place.partition(":")[0]
    contact = await services.contacts.get(one.workspace, one.channel, name)
    if contact and contact.disabled_at:
        await _tell(services, one, contact)
        return False
    consent = contact.consent if contact else ""
    return consent == "in" or (not consent and one.channel != "whatsapp")


async def _tell(services: Services, one: Subscription, contact: Contact) -> None:
    text = (
        f"A {one.cadence} digest is not sent to {one.channel} {contact.external_id} any more: "
        f"{contact.disabled_why.rstrip('.') or 'the platform refuses it'}. It goes on once they "
        "write to me there."
    )
    key = f"digest-refused:{one.channel}:{contact.external_id}:{contact.disabled_at}"
    reply = Reply("", card=Card("Digest not sent", text))
    await services.post.to_admins(one.workspace, reply, key=key)
