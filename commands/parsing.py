"""What commands share: references to runs, wrong arguments, closest words."""

import difflib
import re
from collections.abc import Iterable

from bot.command import Ask, Command
from bot.errors import BadInput, NotFound
from bot.model.person import Role
from bot.model.run import CLOSED, Run, RunKind
from bot.model.words import one_line

_SHORT = re.compile(r"#?([0-9a-f]{8})\Z", re.IGNORECASE)
_FULL = re.compile(
    r"#?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\Z", re.IGNORECASE
)
_DATE = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\Z", re.ASCII)
"""20261120 has the form of an id as well."""

_LOOK_BACK = 200


def wrong(ask: Ask, command: Command, why: str) -> BadInput:
    """The error for arguments that can't be used: what is wrong, the form, an example.

    Where something was typed the example has arguments too: a command's second one does.
    """
    lines = [why, f"Usage: `{f'/{command.name} {command.usage}'.strip()}`"]
    if command.examples:
        lines.append(f"For example: `{command.examples[: 2 if ask.args else 1][-1]}`")
    return BadInput(f"/{command.name}: {why}", said="\n".join(lines))


def closest(word: str, options: Iterable[str]) -> str:
    """ " Did you mean x?", or nothing where nothing is near."""
    # In a short word one letter is much: "bogus" is not meant for "ops".
    cutoff = 0.7 if len(word) < 6 else 0.5
    near = difflib.get_close_matches(word.lower(), list(options), 1, cutoff)
    return f" Did you mean {near[0]}?" if near else ""


def may_see(ask: Ask, run: Run) -> bool:
    """One's own runs and those of the conversation one is in; approvers see them all."""
    mine = run.person == ask.person.id or run.conversation == ask.run.conversation
    return mine or ask.person.role.may(Role.APPROVER)


def first_word(text: str) -> tuple[str, str]:
    """(the first word, what follows it), either may be empty."""
    first, *rest = text.split(maxsplit=1) or [""]
    return first, rest[0].strip() if rest else ""


async def find_run(ask: Ask, ref: str) -> Run:
    """By its full id or its last 8 characters. Raises NotFound, also for what isn't theirs."""
    typed = _SHORT.match(ref) or _FULL.match(ref)
    run = await ask.services.runs.find(ask.run.workspace, typed[1].lower()) if typed else None
    if run is None or not may_see(ask, run):
        said = f"I know no run {one_line(ref, 40)} here. /runs lists the latest."
        raise NotFound(f"no run {ref!r} for {ask.person.id}", said=said)
    return run


async def requests_here(ask: Ask, limit: int) -> list[Run]:
    """The requests of this conversation, newest first. Where it has none: one's own in its
    threads, for Slack's slash commands can only be said beside them."""
    recent, workspace = ask.services.runs.recent, ask.run.workspace
    here, kinds = ask.run.conversation, [RunKind.REQUEST.value]
    if runs := await recent(workspace, conversation=here, kinds=kinds, limit=limit):
        return runs
    everywhere = await recent(workspace, kinds=kinds, limit=_LOOK_BACK)
    mine = [run for run in everywhere if run.person == ask.person.id]
    return [run for run in mine if run.conversation.startswith(f"{here}:")]


async def last_run(ask: Ask) -> Run:
    """The last request of this conversation that has an end, answered ones first."""
    runs = await requests_here(ask, 20)
    closed = [run for run in runs if run.status in CLOSED]
    for run in [*(run for run in closed if run.answer), *closed]:
        return run
    raise NotFound(
        "no run in this conversation",
        said="Nothing was asked in this conversation yet. Name a run by its id: /runs lists them.",
    )


async def run_and_words(ask: Ask) -> tuple[Run, str]:
    """`[run] words`: the run that is named in front, or else the last one here."""
    first, rest = first_word(ask.args)
    if not (_SHORT.match(first) or _FULL.match(first)):
        return await last_run(ask), ask.args
    try:
        return await find_run(ask, first), rest
    except NotFound:
        if not _DATE.match(first):
            raise
    return await last_run(ask), ask.args
