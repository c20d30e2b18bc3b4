"""/unlink: shows one's identities, and cuts one off to be a person of its own."""

from collections.abc import Sequence

from bot.command import Ask, Command
from bot.errors import Forbidden, NotFound
from bot.model.message import Button, Reply
from bot.model.person import Identity, Role
from bot.model.terms import FIXED
from bot.model.words import one_line
from commands.link import labels
from commands.parsing import closest

_LONGEST = 64


async def unlink(ask: Ask) -> Reply:
    mine = await ask.services.people.identities(ask.run.workspace, ask.person.id)
    wanted = ask.args.strip().strip("`")
    if not wanted:
        return _shown(mine)
    identity = await _find(ask, mine, wanted)
    services, workspace = ask.services, ask.run.workspace
    # What strangers begin as there: who holds that phone now is not known any more.
    role = Role.GUEST if identity.channel in FIXED else Role.MEMBER
    alone = await services.people.cut(workspace, identity.channel, identity.external_id, role)
    named = services.settings
    standing = {*named.listed(named.owners), *named.listed(named.approvers)}
    kept = " The settings name it, so it keeps that role." if identity.label in standing else ""
    return Reply(
        f"`{identity.label}` is a person of its own now (`{alone.id}`), a {alone.role.value}.{kept} "
        "Roles, ratings and memories stay with the person it was cut from.",
        private=True,
    )


def _shown(mine: Sequence[Identity]) -> Reply:
    if len(mine) < 2:
        return Reply(
            f"You are known as {labels(mine)} only. `/link` adds another platform.", private=True
        )
    buttons = [Button(f"Cut {i.label}"[:40], f"/unlink {i.label}", "danger") for i in mine]
    return Reply(
        f"You are known as {labels(mine)}. `/unlink` with one of them cuts it off.",
        buttons=tuple(b for b in buttons if len(b.command.encode()) <= _LONGEST),
        private=True,
    )


async def _find(ask: Ask, mine: Sequence[Identity], wanted: str) -> Identity:
    """One's own; an owner finds everybody's."""
    known = {identity.label: identity for identity in mine}
    if ask.person.role.may(Role.OWNER):
        for _, identities in await ask.services.people.linked(ask.run.workspace):
            known |= {identity.label: identity for identity in identities}
    if wanted in known:
        return known[wanted]
    said = f"You have no identity {one_line(wanted, 60)}.{closest(wanted, known)}"
    if not ask.person.role.may(Role.OWNER):
        cause = f"{ask.person.id} may not cut {wanted!r}"
        raise Forbidden(cause, said=f"{said} Other people's are cut by an owner.")
    raise NotFound(f"no link {wanted!r}", said=f"{said} `/link list` shows all links.")


COMMAND = Command(
    "unlink",
    "Show how you are known, and cut one identity off",
    unlink,
    usage="[slack:U012AB3CD]",
    examples=("/unlink", "/unlink telegram:123456"),
)
