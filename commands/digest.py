"""/digest: a short report every day or week, where and when one wants it."""

from collections.abc import Sequence
from dataclasses import replace

from bot.command import Ask, Command
from bot.digest.facts import window_to
from bot.digest.making import make
from bot.errors import Conflict, Forbidden
from bot.model.message import Button, Reply
from bot.model.person import Identity, Role
from bot.model.subscription import WEEKDAYS, Subscription, local, next_due
from bot.model.words import count, one_line
from bot.places import ADDRESS_KEY, NAMES, Place, is_own, own_chat, spoken_in
from commands.digest_words import Wish, read
from commands.parsing import wrong

_NONE_YET = (
    "You get no digest. `/digest daily at 9 zone Europe/Berlin` or `/digest weekly on monday` "
    "sends one to you; with `here` to this channel."
)
_ELSEWHERE = (
    "A digest is sent to Slack, Telegram or WhatsApp: say `/digest daily at 9` there. Here "
    "`/digest now` shows it."
)


async def digest(ask: Ask) -> Reply:
    try:
        wish = read(ask.args)
    except ValueError as error:
        raise wrong(ask, COMMAND, str(error)) from None
    match wish.doing:
        case "now":
            return await _now(ask, wish)
        case "off":
            return await _off(ask, wish)
        case "on":
            return await _on(ask, wish)
    return await _shown(ask)


async def _now(ask: Ask, wish: Wish) -> Reply:
    zone = wish.zone or await _zone(ask)
    window = window_to(wish.cadence or "weekly", ask.services.clock.now(), zone)
    reply, _ = await make(ask.services, ask.run.workspace, window)
    return replace(reply, private=True)


async def _on(ask: Ask, wish: Wish) -> Reply:
    place = await _place(ask, wish.where)
    if not place.own and not ask.person.role.may(Role.APPROVER):
        raise Forbidden(
            f"{ask.person.role} {ask.person.id} may not make digests go to {place.name}",
            said="An approver can have the digest posted here for everyone; you are a "
            f"{ask.person.role.value}. `/digest {wish.cadence} me` sends it to you alone.",
        )
    await _agree(ask, place)
    made = Subscription(
        workspace=ask.run.workspace,
        person=ask.person.id,
        channel=place.channel,
        place=place.name,
        cadence=wish.cadence or "weekly",
        address=place.address,
        weekday=wish.weekday,
        hour=wish.hour,
        zone=wish.zone or await _zone(ask),
        always=wish.always,
        created_at=ask.run.created_at,
    )
    await ask.services.subscriptions.put(made)
    first = local(made.zone, next_due(made, ask.run.created_at))
    silent = "It comes also when nothing happened."
    if not made.always:
        silent = "When nothing happened nothing is sent."
    said = f"{_line(made, ask)}. The first one comes {first:%a %-d %b at %H:%M}. {silent}"
    return Reply(said, buttons=_buttons(made, place.own), private=place.own)


async def _off(ask: Ask, wish: Wish) -> Reply:
    """One's own; an approver ends what others had posted to a channel as well."""
    store, workspace = ask.services.subscriptions, ask.run.workspace
    found = list(await store.of_person(workspace, ask.person.id))
    if wish.where:
        place = await _place(ask, wish.where)
        if not place.own and ask.person.role.may(Role.APPROVER):
            found = list(await store.at_place(workspace, place.channel, place.name))
        found = [s for s in found if (s.channel, s.place) == (place.channel, place.name)]
    ended = [s for s in found if wish.cadence in (s.cadence, "") and await store.end(s)]
    if not ended:
        return Reply("There was no digest to end. `/digest` lists yours.", private=True)
    return Reply(f"{count(len(ended), 'digest')} ended.", private=wish.where != "here")


async def _shown(ask: Ask) -> Reply:
    store, workspace = ask.services.subscriptions, ask.run.workspace
    mine = await store.of_person(workspace, ask.person.id)
    identity = await _identity(ask)
    here = spoken_in(ask.run.channel, ask.run.address, identity.external_id if identity else "")
    others: Sequence[Subscription] = ()
    if here and not here.own:
        others = await store.at_place(workspace, here.channel, here.name)
        others = [s for s in others if s.person != ask.person.id]
    lines = [f"- {_line(one, ask)}" for one in (*mine, *others)]
    buttons = [Button("Preview", "/digest now")]
    reachable = here is not None or identity is not None
    buttons += [
        Button(f"{cadence.capitalize()} to me", f"/digest {cadence} me")
        for cadence in ("daily", "weekly")
        if reachable and cadence not in {s.cadence for s in mine}
    ]
    if mine:
        buttons.append(Button("End mine", "/digest off"))
    said = "\n".join(lines) or (_NONE_YET if reachable else _ELSEWHERE)
    return Reply(said, buttons=tuple(buttons), private=True)


def _line(one: Subscription, ask: Ask) -> str:
    day = f"{WEEKDAYS[one.weekday].capitalize()}s" if one.cadence == "weekly" else "every day"
    always = ", also when nothing happened" if one.always else ""
    where = f"in {one.place} on {NAMES[one.channel]}"
    if is_own(one.channel, one.place):
        where = f"to you on {NAMES[one.channel]}"
    elif one.address.items() <= ask.run.address.items():
        where = "here"
    return (
        f"**{one.cadence.capitalize()}** digest {where}, {day} at {one.hour:02}:00 {one.zone}"
        f"{always}"
    )


def _buttons(one: Subscription, own: bool) -> tuple[Button, ...]:
    where = "me" if own else "here"
    return (
        Button("Preview", f"/digest now {one.cadence}"),
        Button("End it", f"/digest off {one.cadence} {where}"),
    )


async def _place(ask: Ask, where: str) -> Place:
    """Where it was said with "here", else the person's own chat. Raises Conflict where there is
    none that can be written to unasked."""
    identity = await _identity(ask)
    here = spoken_in(ask.run.channel, ask.run.address, identity.external_id if identity else "")
    if where == "here":
        if here is None:
            raise _unreachable(ask)
        return here
    if here and here.own:
        return here
    if identity is None:
        raise _unreachable(ask)
    known = await ask.services.contacts.get(
        ask.run.workspace, identity.channel, identity.external_id
    )
    return own_chat(identity.channel, identity.external_id, known.address if known else None)


async def _identity(ask: Ask) -> Identity | None:
    """The person on the platform they spoke on, else on one that can be written to unasked."""
    known = await ask.services.people.identities(ask.run.workspace, ask.person.id)
    reached = [i for i in known if i.channel in ADDRESS_KEY]
    named = {str(value) for value in ask.run.address.values()}
    reached.sort(key=lambda i: (i.channel != ask.run.channel, i.external_id not in named))
    return reached[0] if reached else None


async def _agree(ask: Ask, place: Place) -> None:
    """Asking for it in one's own chat is consent to be written to there; WhatsApp needs one."""
    if not place.own:
        return
    contacts, workspace = ask.services.contacts, ask.run.workspace
    known = await contacts.get(workspace, place.channel, place.name)
    consent = known.consent if known else ""
    if consent == "in" or (not consent and place.channel != "whatsapp"):
        return
    if ask.run.channel != place.channel:
        raise Conflict(
            f"{place.channel} {place.name} did not agree",
            said=f"You have not agreed to be written to on {NAMES[place.channel]}. Say "
            "`digest daily` to me there.",
        )
    word = one_line(ask.run.message, 80)
    await contacts.set_consent(workspace, place.channel, place.name, "in", ask.run.created_at, word)


async def _zone(ask: Ask) -> str:
    """The one they used last."""
    mine = await ask.services.subscriptions.of_person(ask.run.workspace, ask.person.id)
    return mine[-1].zone if mine else "UTC"


def _unreachable(ask: Ask) -> Conflict:
    return Conflict(
        f"no place for a digest on {ask.run.channel}",
        said="A digest is sent to Slack, Telegram or WhatsApp: say it there. Here `/digest now` "
        "shows it.",
    )


COMMAND = Command(
    "digest",
    "Get a short report every day or week; see it now",
    digest,
    usage="[daily | weekly | now | off] [on day] [at hour] [zone name] [here | me] [always]",
    examples=(
        "/digest",
        "/digest daily at 9 zone Europe/Berlin",
        "/digest weekly on friday at 16 here",
        "/digest off",
        "/digest now",
    ),
    more="`me` is your own chat with me, `here` the channel, for approvers. Nothing is sent when "
    "nothing happened, unless you say `always`.",
)
