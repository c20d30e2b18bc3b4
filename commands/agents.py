"""/agents: who is there, and what each is good at."""

from bot.command import Ask, Command
from bot.errors import NotFound
from bot.model.agent import AgentVersion
from bot.model.message import Reply
from bot.model.words import count, one_line
from commands.parsing import closest


async def agents(ask: Ask) -> Reply:
    found = {a.name: a for a in await ask.services.agents.current(ask.run.workspace)}
    name = ask.args.lstrip("@").lower()
    if not name:
        lines = [
            f"- **@{a.name}** v{a.version} · {one_line(a.specialty, 160)}"
            + (f" · {count(len(a.playbook), 'lesson')}" if a.playbook else "")
            for a in found.values()
        ]
        lines.append("Begin a message with the name, such as `@writer …`, to choose one.")
        return Reply("\n".join(lines))
    if name not in found:
        near = closest(name, found)
        raise NotFound(
            f"no agent {name!r}", said=f"There is no agent {name[:40]}.{near} /agents lists them."
        )
    return Reply(_one(found[name]))


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
    "List the agents, or show one with what it has learned",
    agents,
    usage="[name]",
    examples=("/agents", "/agents writer"),
)
