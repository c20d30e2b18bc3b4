"""/agents: who is there, and what each is good at; owners let one rest."""

from collections.abc import Mapping, Sequence

from bot.command import Ask, Command
from bot.errors import Forbidden, NotFound
from bot.improve.brake import protected, resting
from bot.model.agent import AgentVersion
from bot.model.message import Button, Reply
from bot.model.person import Role
from bot.model.words import count, one_line
from commands.data import listed, of_hold
from commands.parsing import closest, first_word

_DOING = ("pause", "resume")


async def agents(ask: Ask) -> Reply:
    found = {a.name: a for a in await ask.services.agents.current(ask.run.workspace)}
    first, rest = first_word(ask.args)
    if first.lower() in _DOING and first.lower() not in found:
        name, why = first_word(rest)
        return await _do(ask, first.lower(), _named(name, found), why)
    if not first:
        return await _listed(ask, list(found.values()))
    agent = found[_named(first, found)]
    return Reply("\n".join([_one(agent), *await _held(ask, agent)]))


def _named(typed: str, found: Mapping[str, AgentVersion]) -> str:
    """Raises NotFound, naming the one that may be meant."""
    name = typed.lstrip("@").lower()
    if name not in found:
        said = f"There is no agent {name[:40]}." if name else "Say which agent."
        near = closest(name, found)
        raise NotFound(f"no agent {name!r}", said=f"{said}{near} /agents lists them.")
    return name


async def _do(ask: Ask, doing: str, name: str, why: str) -> Reply:
    if not ask.person.role.may(Role.OWNER):
        raise Forbidden(
            f"{ask.person.id} may not {doing} {name}",
            said=f"To {doing} an agent takes an owner; you are a {ask.person.role.value}.",
        )
    brake, workspace = ask.services.brake, ask.run.workspace
    if doing == "resume":
        woken = await brake.resume(workspace, name)
        await ask.services.trying.go_on(workspace)
        said = f"@{name} takes requests again." if woken else f"@{name} isn't paused."
        return Reply(said, data={"agent": name, "paused": of_hold(None)})
    await brake.pause(workspace, name, ask.person.id, why)
    await ask.services.trying.go_on(workspace)
    return Reply(
        f"⏸️ @{name} is paused: others take its requests, and a trial of it waits. What it is at "
        f"work on is finished. `/agents resume {name}` ends that.",
        buttons=(Button("Resume", f"/agents resume {name}"),),
        data={"agent": name, "paused": of_hold((await brake.paused(workspace)).get(name))},
    )


async def _listed(ask: Ask, found: Sequence[AgentVersion]) -> Reply:
    paused = await ask.services.brake.paused(ask.run.workspace)
    lines = [
        f"- **@{a.name}** v{a.version} · {one_line(a.specialty, 160)}"
        + (f" · {count(len(a.playbook), 'lesson')}" if a.playbook else "")
        + (" · **paused**" if a.name in paused else "")
        for a in found
    ]
    lines.append("Begin a message with the name, such as `@writer …`, to choose one.")
    told = [
        {
            "agent": a.name,
            "version": a.version,
            "specialty": a.specialty,
            "lessons": len(a.playbook),
            "paused": of_hold(paused.get(a.name)),
        }
        for a in found
    ]
    return Reply("\n".join(lines), data=listed("agents", told))


async def _held(ask: Ask, agent: AgentVersion) -> list[str]:
    """What keeps it from working or from changing."""
    brake, workspace, name = ask.services.brake, ask.run.workspace, agent.name
    rests = (await brake.paused(workspace)).get(name)
    stays = (await brake.protected(workspace, [name])).get(name)
    said = [resting(name, rests)] if rests else []
    said += [protected(name, stays)] if stays else []
    return ["", *said] if said else []


def _one(agent: AgentVersion) -> str:
    lines = [
        f"**@{agent.name}** v{agent.version}: {one_line(agent.specialty, 300)}",
        f"Model: {agent.model or 'the default'} · tools: {', '.join(agent.tools) or 'none'}",
        "",
        agent.instructions.strip(),
    ]
    if agent.playbook:
        lines += ["", "Lessons:"]
        lines += [f"- {b.text}" + (f" ({b.source})" if b.source else "") for b in agent.playbook]
    return "\n".join(lines)


COMMAND = Command(
    "agents",
    "List the agents, show one with what it has learned, pause or resume one",
    agents,
    usage="[pause | resume] [name]",
    examples=("/agents", "/agents writer", "/agents pause writer"),
)
