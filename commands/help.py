"""/help: what one can say, or one command with examples."""

from collections.abc import Callable, Sequence

from bot.command import Ask, Command, CommandTable
from bot.errors import BadInput
from bot.model.message import Button, Reply
from bot.model.person import Role
from bot.model.terms import FIXED


def command(everything: Callable[[], Sequence[Command]]) -> Command:
    """The command over the table that it is itself a part of."""

    async def show(ask: Ask) -> Reply:
        table = CommandTable(everything())
        name = ask.args.split()[0] if ask.args else ""
        fixed = FIXED.get(ask.run.channel)
        if not name and fixed is not None:
            return _fixed([c for c in table.allowed(ask.person.role) if c.name in fixed], ask)
        if not name:
            return Reply(_all(table.allowed(ask.person.role)))
        found = table.lookup(name)
        if found is None:
            near = table.closest(name)
            hint = f" Did you mean /{near}?" if near else ""
            said = f"There is no command /{name.lstrip('/!')[:40]}.{hint} /help lists them all."
            raise BadInput(f"unknown command {name!r}", said=said)
        return Reply(_one(found))

    return Command(
        "help",
        "Show what you can say",
        show,
        usage="[command]",
        examples=("/help", "/help better"),
        role=Role.GUEST,
        in_order=False,
    )


def _all(commands: Sequence[Command]) -> str:
    lines = ["Ask me anything, or say:"]
    lines += [f"- `{_form(c)}`: {c.help}" for c in commands]
    lines.append("`/help better` tells more about one, with examples.")
    lines.append("`!better …` works like `/better …` where a platform keeps `/` for itself.")
    return "\n".join(lines)


def _fixed(commands: Sequence[Command], ask: Ask) -> Reply:
    """Where only fixed words work, and nobody is written to unasked before they agree."""
    lines = ["I bring digests and approvals here and take these commands; I don't chat here:"]
    lines += [f"- `{_form(c).lstrip('/')}`: {c.help}" for c in commands]
    lines.append("Say `start` to get digests and approvals, `stop` to end them.")
    if not ask.person.role.may(Role.MEMBER):
        lines.append("More works once an owner has given you a role.")
    return Reply("\n".join(lines), buttons=(Button("Start", "/subscribe"),))


def _one(command: Command) -> str:
    whom = "owners" if command.role is Role.OWNER else f"{command.role.value} and up"
    lines = [f"`{_form(command)}`", f"{command.help}. For: {whom}."]
    if command.more:
        lines.append(command.more)
    if command.examples:
        lines.append("Examples:")
        lines += [f"- `{example}`" for example in command.examples]
    return "\n".join(lines)


def _form(command: Command) -> str:
    return f"/{command.name} {command.usage}".strip()
