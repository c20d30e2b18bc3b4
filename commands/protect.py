"""/protect: an agent, or one version of it, that the loop may not replace."""

import re

from bot.command import Ask, Command
from bot.model.message import Button, Reply
from bot.model.person import Role
from bot.model.words import one_line
from commands.parsing import closest, first_word, wrong

_VERSION = re.compile(r"v?(\d{1,6})\Z", re.ASCII | re.IGNORECASE)


async def protect(ask: Ask) -> Reply:
    agent, version, reason = await agent_named(ask, COMMAND)
    which = f"{agent} v{version}" if version else agent
    new = await ask.services.brake.protect(ask.run.workspace, agent, version, ask.person.id, reason)
    await ask.services.trying.go_on(ask.run.workspace)
    said = (
        f"🔒 {which} is protected: it stays as it is"
        + (" while it is the one in use" if version else "")
        + f", and what would change it can't be approved. `/unprotect {which}` ends that."
    )
    return Reply(
        said if new else f"{which} is protected already.",
        buttons=(Button("Unprotect", f"/unprotect {which}"),),
        data={"agent": agent, "version": version or None, "protected": True},
    )


async def agent_named(ask: Ask, command: Command) -> tuple[str, int, str]:
    """`agent [v3] [words]`: its name, the version or 0, the words. Raises BadInput."""
    agents = {a.name: a for a in await ask.services.agents.current(ask.run.workspace)}
    first, rest = first_word(ask.args)
    name = first.lstrip("@").lower()
    if name not in agents:
        why = "Say which agent."
        if name:
            why = f"There is no agent {one_line(name, 40)}.{closest(name, agents)}"
        raise wrong(ask, command, f"{why} There are: {', '.join(agents)}.")
    second, after = first_word(rest)
    typed = _VERSION.match(second)
    if typed is None:
        return name, 0, rest
    if await ask.services.agents.version(ask.run.workspace, name, int(typed[1])) is None:
        raise wrong(ask, command, f"There is no {name} v{typed[1]}.")
    return name, int(typed[1]), after


COMMAND = Command(
    "protect",
    "Keep an agent, or one version of it, from being changed",
    protect,
    usage="agent [v3] [reason]",
    examples=("/protect writer", "/protect writer v3 audited in May"),
    more="A trial of it ends, and no approval, job or rollback changes it until `/unprotect`.",
    role=Role.OWNER,
    in_order=False,
)
