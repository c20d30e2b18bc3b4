"""What a chat command is: its words, who may say it, and what answers."""

import difflib
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bot.model.message import Reply
from bot.model.person import Person, Role
from bot.model.run import Run
from bot.services import Services


@dataclass(frozen=True, slots=True)
class Ask:
    """One saying of a command. `args` is what followed the name, stripped.

    `run` is the command's own run (kind command): its id makes the command's effects unique, so
    a command that is resumed after a crash does nothing twice. `run.address` and
    `run.conversation` tell where it was said.
    """

    person: Person
    args: str
    run: Run
    services: Services


@dataclass(frozen=True, slots=True)
class Command:
    """`name` has hyphens where needed; platforms without them use underscores.

    `usage` is the form after the name ("[run] text"); `examples` are whole lines a person could
    type; `more` explains the usage in `/help name`. `in_order` False lets it overtake what its conversation is busy with (/stop, buttons).
    `slash` says whether Slack's manifest declares it.
    """

    name: str
    help: str
    run: Callable[[Ask], Awaitable[Reply]]
    usage: str = ""
    examples: tuple[str, ...] = ()
    role: Role = Role.MEMBER
    in_order: bool = True
    more: str = ""
    slash: bool = True
    aliases: tuple[str, ...] = ()
    hidden: bool = False


_TYPED = re.compile(r"\s*([/!])([A-Za-z][\w-]{0,63})(?:@\w+)?(?:\s+(.*))?\Z", re.DOTALL)


class CommandTable:
    """The commands by what people type: case, hyphens and underscores make no difference."""

    def __init__(self, commands: Sequence[Command]) -> None:
        self.commands = tuple(commands)
        self._by_name: dict[str, Command] = {}
        for command in self.commands:
            for name in (command.name, *command.aliases):
                if self._by_name.setdefault(_key(name), command) is not command:
                    raise ValueError(f"two commands are called {name!r}")

    def parse(self, text: str) -> tuple[str, str] | None:
        """(name, arguments) of a text that is a command, known or not; None for any other.

        A path ("/usr/bin") is none, and neither is an exclamation that resembles no command.
        """
        typed = _TYPED.match(text)
        if typed is None:
            return None
        name = typed[2].lower().replace("_", "-")
        if typed[1] == "!" and not (self.lookup(name) or self.closest(name)):
            return None
        return name, (typed[3] or "").strip()

    def lookup(self, name: str) -> Command | None:
        return self._by_name.get(_key(name))

    def closest(self, name: str) -> str | None:
        """The name of the command that was probably meant."""
        shown = {key: command.name for key, command in self._by_name.items() if not command.hidden}
        near = difflib.get_close_matches(_key(name), shown, 1)
        return shown[near[0]] if near else None

    def allowed(self, role: Role) -> list[Command]:
        """What /help shows to someone of this role, in the table's order."""
        return [c for c in self.commands if not c.hidden and role.may(c.role)]


def _key(name: str) -> str:
    return name.lstrip("/!").lower().replace("_", "-")
