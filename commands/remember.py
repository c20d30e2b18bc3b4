"""/remember: keeps a text for you, an agent or everyone; without one, lists what is kept."""

import re

from bot.command import Ask, Command
from bot.model.memory import ORG, Namespace, of_agent, of_user
from bot.model.message import Reply
from bot.model.words import one_line
from commands.parsing import closest, wrong

LONGEST = 2000
_WHERE = re.compile(r"(?i)(org|everyone|me|agent:([a-z0-9_-]+))(?::\s*|\s+|\Z)")


async def remember(ask: Ask) -> Reply:
    where = _WHERE.match(ask.args)
    text = one_line(ask.args[where.end() :] if where else ask.args, LONGEST)
    namespace, whom = await _place(ask, where)
    if not text:
        return await _kept(ask, namespace, whom)
    memory = await ask.services.memory.remember(
        ask.run.workspace,
        namespace,
        text,
        by=ask.person.id,
        source=ask.run.id,
        id=ask.run.id,
    )
    return Reply(f"Remembered for {whom} as {memory.ref}. `/forget {memory.ref}` takes it back.")


async def _place(ask: Ask, where: re.Match[str] | None) -> tuple[Namespace, str]:
    word = where[1].lower() if where else "me"
    if word == "me":
        return of_user(ask.person.id), "you"
    if word in ("org", "everyone"):
        return ORG, "everyone"
    name = word.removeprefix("agent:")
    names = [a.name for a in await ask.services.agents.current(ask.run.workspace)]
    if name not in names:
        raise wrong(ask, COMMAND, f"There is no agent {name}.{closest(name, names)}")
    return of_agent(name), name


async def _kept(ask: Ask, namespace: Namespace, whom: str) -> Reply:
    found = await ask.services.memories.list(ask.run.workspace, [namespace], 20)
    if not found:
        raise wrong(ask, COMMAND, f"Nothing is remembered for {whom} yet. Say what to remember.")
    lines = [f"Remembered for {whom}:", *(f"- {m.ref}: {one_line(m.text, 160)}" for m in found)]
    return Reply("\n".join(lines), private=True)


COMMAND = Command(
    "remember",
    "Keep something in mind for you, for an agent or for everyone",
    remember,
    usage="[me | org | agent:name] text",
    examples=(
        "/remember I prefer short answers",
        "/remember org our refund period is 30 days",
        "/remember agent:writer we write British English",
    ),
)
