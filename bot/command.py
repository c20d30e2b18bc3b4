"""What a chat command is: its words, who may say it, and what answers."""

from collections.abc import Awaitable, Callable
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
    type. `in_order` False lets it overtake what its conversation is busy with (/stop, buttons).
    `slash` says whether Slack's manifest declares it.
    """

    name: str
    help: str
    run: Callable[[Ask], Awaitable[Reply]]
    usage: str = ""
    examples: tuple[str, ...] = ()
    role: Role = Role.MEMBER
    in_order: bool = True
    slash: bool = True
    aliases: tuple[str, ...] = ()
    hidden: bool = False
