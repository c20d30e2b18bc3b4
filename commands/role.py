"""/role: what someone may do; without a role, what everyone may."""

import re

from bot.command import Ask, Command
from bot.errors import Conflict, NotFound
from bot.model.message import Reply
from bot.model.person import Person, Role
from bot.model.words import one_line
from commands.parsing import closest, wrong

_MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|[^>]*)?>\Z")


async def role(ask: Ask) -> Reply:
    if not ask.args:
        return await _everyone(ask)
    *who, word = ask.args.split()
    if not who:
        raise wrong(ask, COMMAND, "Say who, and which role.")
    if word.lower() not in set(Role):
        raise wrong(ask, COMMAND, f"{one_line(word, 20)} is no role.{closest(word, list(Role))}")
    person, new = await _find(ask, " ".join(who)), Role(word.lower())
    services, workspace = ask.services, ask.run.workspace
    owners = await services.people.with_role(workspace, Role.OWNER)
    if new is not Role.OWNER and [o.id for o in owners] == [person.id]:
        raise Conflict("the last owner", said="That is the only owner. Name another one first.")
    await services.people.set_role(workspace, person.id, new)
    return Reply(f"{person.name or person.id} is {new.value} now (was {person.role.value}).")


async def _find(ask: Ask, who: str) -> Person:
    mention = _MENTION.match(who)
    people = await _all(ask)
    plain = (mention[1] if mention else who.lstrip("@")).casefold()
    # An id goes before a name: anyone may call themselves by another's id.
    found = [p for p in people if plain in await _addresses(ask, p)]
    found = found or [p for p in people if plain == p.name.casefold()]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(p.id for p in found)
        raise wrong(ask, COMMAND, f"Several people are called {one_line(who, 40)}: {ids}.")
    near = closest(plain, [p.name for p in people if p.name])
    said = f"I know nobody called {one_line(who, 40)}.{near} Whoever wrote to me once is known."
    raise NotFound(f"nobody called {who!r}", said=said)


async def _addresses(ask: Ask, person: Person) -> set[str]:
    known = await ask.services.people.identities(ask.run.workspace, person.id)
    names = {f"{i.channel}:{i.external_id}" for i in known} | {i.external_id for i in known}
    return {name.casefold() for name in (person.id, *names)}


async def _all(ask: Ask) -> list[Person]:
    people = ask.services.people
    return [p for r in reversed(Role) for p in await people.with_role(ask.run.workspace, r)]


async def _everyone(ask: Ask) -> Reply:
    lines = [f"- {p.name or 'no name'} (`{p.id}`): {p.role.value}" for p in await _all(ask)]
    return Reply("\n".join(lines), private=True)


COMMAND = Command(
    "role",
    "Show who may do what, or give someone a role",
    role,
    usage="[person owner | approver | member | guest]",
    examples=("/role", "/role slack:U012AB3CD approver"),
    role=Role.OWNER,
)
