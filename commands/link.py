"""/link: makes one person of two identities, with a one-time code carried from one to the other."""

import re
from collections.abc import Sequence

from bot.command import Ask, Command
from bot.errors import BadInput, Conflict, Forbidden, RatchetError
from bot.model.memory import of_user
from bot.model.message import Card, Reply
from bot.model.person import Code, Identity, Person, Role
from bot.model.terms import FIXED
from bot.model.words import one_line, when
from bot.places import ADDRESS_KEY
from bot.services import Services
from commands.parsing import wrong
from commands.recording import count

_SIGNS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""32 of them, so eight are 40 bits: no I, O, 0 or 1, which are read for one another."""

_LENGTH = 8
_MINUTES = 10
_TRIES = 5
_PURPOSE = "link"
_TYPED = re.compile(rf"[{_SIGNS}]{{4}}[\s-]?[{_SIGNS}]{{4}}\Z")
_ASK_ANEW = "Say `/link` on the other platform for a new one."


async def link(ask: Ask) -> Reply:
    word = ask.args.strip().strip("`*")
    _must_not_be_a_guest(ask, entering=bool(word) and word.lower() != "list")
    if not word:
        return await _issued(ask)
    if word.lower() == "list":
        return await _listed(ask)
    return await _entered(ask, word.upper())


def _must_not_be_a_guest(ask: Ask, entering: bool) -> None:
    """Except to enter a code where everyone begins as one."""
    if ask.person.role.may(Role.MEMBER) or (entering and ask.run.channel in FIXED):
        return
    raise Forbidden(
        f"guest {ask.person.id} may not /link",
        said="/link needs the role member, and yours is guest. An owner can change that with "
        "/role.",
    )


async def _issued(ask: Ask) -> Reply:
    services, workspace = ask.services, ask.run.workspace
    code = new_code(services)
    payload = {"person": ask.person.id, "platform": _platform(ask)}
    until = services.clock.now() + _MINUTES * 60_000
    await services.codes.issue(workspace, _PURPOSE, _plain(code), payload, until)
    return Reply(
        f"Your code is **{code}**. Say `/link {code}` to me on the other platform within "
        f"{_MINUTES} minutes, and both are you. It works once. Give it to nobody: whoever says it "
        "becomes the same person as you, with all you may do.",
        private=True,
    )


async def _entered(ask: Ask, typed: str) -> Reply:
    services, workspace, me = ask.services, ask.run.workspace, ask.person
    await _must_not_guess(ask)
    if not _TYPED.match(typed):
        raise wrong(ask, COMMAND, f"{one_line(typed, 20)} is no code: they have eight signs.")
    found = await services.codes.look(workspace, _PURPOSE, _plain(typed))
    if found is None:
        raise _refused(f"I know no such code. Look at it once more, or have a new one. {_ASK_ANEW}")
    if not found.ours:
        raise _refused("That code is of another workspace: people are linked within one only.")
    issuer = await services.people.get(workspace, str(found.payload.get("person", "")))
    if issuer is None:
        raise _refused(f"Whoever asked for that code is gone. {_ASK_ANEW}")
    if issuer.id == me.id:
        if found.used_at or found.payload.get("platform") != _platform(ask):
            return await _one_now(ask, me)
        raise _refused("That is your own code: say it on the other platform, not here.")
    if not found.used_at and found.payload.get("platform") == _platform(ask):
        raise _refused("That code was made on this platform: say it on another one.")
    _must_not_raise(issuer, me)
    now = services.clock.now()
    redeemed = await services.codes.redeem(workspace, _PURPOSE, _plain(typed), now)
    if redeemed is None:
        raise _spent(found, now)
    return await _one_now(ask, await _merged(ask, issuer))


def _must_not_raise(issuer: Person, me: Person) -> None:
    """Whoever made the code must not get more by who enters it: they may have been talked into it."""
    if issuer.role.may(me.role):
        return
    raise Forbidden(
        f"{me.role} {me.id} entered the code of {issuer.role} {issuer.id}",
        said=f"That code is {_a(issuer.role)}'s, and you are {_a(me.role)}: it would give them all "
        "you may do. If both are you, ask for the code here, where you may do more, and say it "
        "there.",
    )


async def _must_not_guess(ask: Ask) -> None:
    """Every try counts, also a right one: nobody needs six of them."""
    now = ask.services.clock.now()
    tries = await ask.services.codes.tries(
        ask.run.workspace, f"try:{ask.person.id}"[:32], ask.run.id, now, now + _MINUTES * 60_000
    )
    if tries > _TRIES:
        raise Forbidden(
            f"{ask.person.id} guesses codes",
            said=f"Those were too many codes. Wait {_MINUTES} minutes, then ask for a new one.",
        )


async def _merged(ask: Ask, issuer: Person) -> Person:
    services, workspace, me = ask.services, ask.run.workspace, ask.person

    async def move() -> tuple[Person, list[str]]:
        person, rated = await services.people.merge(workspace, me.id, issuer.id)
        return person, list(rated)

    person, rated = await services.memory.moving(workspace, of_user(me.id), move)
    services.purse.moved(workspace)
    for run_id in rated:
        if run := await services.runs.get(workspace, run_id):
            await count(services, run)
    if person.role.may(Role.APPROVER):
        names = await _names(ask, person)
        text = f"{_name(person)}, {_a(person.role)}, is {names} now. /unlink cuts what is wrong."
        card = Card("Accounts linked", text)
        key = f"link:{ask.run.id}"
        await services.post.to_admins(workspace, Reply("", card=card), key=key)
    return person


async def _one_now(ask: Ask, person: Person) -> Reply:
    return Reply(
        f"You are {_name(person)} in all of them now: {await _names(ask, person)}. You are "
        f"{_a(person.role)}. `/unlink` cuts one off again.",
        private=True,
    )


async def _listed(ask: Ask) -> Reply:
    """An owner sees everyone's, others their own."""
    if not ask.person.role.may(Role.OWNER):
        return Reply(f"You are known as {await _names(ask, ask.person)}.", private=True)
    linked = await ask.services.people.linked(ask.run.workspace)
    lines = [
        f"- {_name(person)} (`{person.id}`, {person.role.value}): {labels(identities)}"
        for person, identities in linked
    ]
    cut = "`/unlink` with one of these cuts it off."
    return Reply("\n".join([*lines, cut]) if lines else "Nobody is linked yet.", private=True)


async def _names(ask: Ask, person: Person) -> str:
    return labels(await ask.services.people.identities(ask.run.workspace, person.id))


def labels(identities: Sequence[Identity]) -> str:
    return ", ".join(f"`{identity.label}`" for identity in identities)


def _name(person: Person) -> str:
    return one_line(person.name, 60) or person.id


def _a(role: Role) -> str:
    return f"{'a' if role is Role.MEMBER else 'an'} {role.value}"


def new_code(services: Services) -> str:
    """ "ABCD-EFGH" """
    number = int(services.ids.token(5), 16)
    signs = "".join(_SIGNS[number >> 5 * at & 31] for at in range(_LENGTH))
    return f"{signs[:4]}-{signs[4:]}"


def _plain(code: str) -> str:
    return re.sub(r"[\s-]", "", code)


def _platform(ask: Ask) -> str:
    """Terminal, page and API are one: the machine's."""
    return ask.run.channel if ask.run.channel in ADDRESS_KEY else "local"


def _spent(found: Code, now: int) -> RatchetError:
    if found.used_at or found.expires_at > now:  # or by someone else a moment ago
        said = f"That code was used {when(found.used_at or now)}; each works once. {_ASK_ANEW}"
        return Conflict("link code used", said=said)
    return _refused(f"That code ran out {when(found.expires_at)}. {_ASK_ANEW}")


def _refused(said: str) -> RatchetError:
    return BadInput(f"link: {said}", said=said)


COMMAND = Command(
    "link",
    "Be one person on several platforms: get a code here, say it there",
    link,
    usage="[code | list]",
    examples=("/link", "/link ABCD-EFGH"),
    role=Role.GUEST,
    more="Roles, ratings, memories and budgets follow the person. `list` shows an owner all links.",
)
