"""/policy: who decides what and who is asked when; owners set it, every version is kept."""

import re

from bot.command import Ask, Command
from bot.errors import BadInput, Forbidden
from bot.improve.policy_text import parse
from bot.model.message import Button, Reply
from bot.model.person import Role
from bot.model.policy import PolicyVersion, in_words
from bot.model.words import one_line, when
from bot.model.workspace import HOME
from commands.parsing import closest, first_word, wrong

_FENCE = re.compile(r"\A\s*```[\w-]*[ \t]*\n(.*?)\n?[ \t]*```\s*\Z", re.DOTALL)
_WORDS = ("set", "history", "restore", "yaml")
_HOW_TO_SET = (
    "Say the whole policy after `/policy set`, in a code fence or without. `/policy yaml` shows the "
    "one that holds, to copy and change."
)
_NUMBER = re.compile(r"#?v?(\d{1,6})\Z", re.ASCII | re.IGNORECASE)


async def policy(ask: Ask) -> Reply:
    word, rest = first_word(ask.args)
    match word.lower():
        case "":
            return await _shown(ask)
        case "yaml":
            text = (await ask.services.policies.standing(ask.run.workspace)).text
            return Reply(f"```yaml\n{text.rstrip()}\n```")
        case "history":
            return await _history(ask)
        case "set":
            return await _set(ask, rest)
        case "restore":
            return await _restored(ask, rest)
    why = f"{one_line(word, 20)} says nothing here.{closest(word, _WORDS)}"
    raise wrong(ask, COMMAND, why)


async def _shown(ask: Ask) -> Reply:
    book, workspace = ask.services.policies, ask.run.workspace
    standing = await book.standing(workspace)
    lines = [f"- {line}" for line in in_words(await book.current(workspace))]
    head = f"**The policy**, {await _version(ask, standing)}"
    buttons = [Button("As YAML", "/policy yaml"), Button("History", "/policy history")]
    if ask.person.role.may(Role.OWNER):
        asks = "The whole policy, as YAML"
        buttons.insert(0, Button("Edit", "/policy set", asks=asks, value=standing.text))
    return Reply("\n".join([head, "", *lines]), buttons=tuple(buttons))


async def _set(ask: Ask, rest: str) -> Reply:
    _must_be_owner(ask)
    fenced = _FENCE.match(rest)
    text = fenced[1] if fenced else rest
    if not text.strip():
        raise BadInput("no policy was given", said=_HOW_TO_SET)
    before = await ask.services.policies.standing(ask.run.workspace)
    made = await ask.services.policies.set(ask.run.workspace, text.strip("\n"), ask.person.id)
    return _changed(before, made, text)


async def _restored(ask: Ask, rest: str) -> Reply:
    _must_be_owner(ask)
    number = _NUMBER.match(rest.strip())
    if number is None:
        raise wrong(ask, COMMAND, "Say which version: /policy history lists them.")
    before = await ask.services.policies.standing(ask.run.workspace)
    made = await ask.services.policies.restore(ask.run.workspace, int(number[1]), ask.person.id)
    return _changed(before, made, made.text)


def _changed(before: PolicyVersion, made: PolicyVersion, text: str) -> Reply:
    if made.version == before.version:
        return Reply(f"That is the policy already, version {made.version}.")
    lines = [f"- {line}" for line in in_words(parse(text))]
    undo = Button("Undo", f"/policy restore {before.version}", "danger")
    head = f"Version {made.version} of the policy holds now, also for what waits:"
    return Reply("\n".join([head, *lines]), buttons=(undo,))


async def _history(ask: Ask) -> Reply:
    versions = await ask.services.policies.history(ask.run.workspace)
    lines = [f"- {await _version(ask, version)}" for version in versions]
    return Reply("\n".join([*lines, "An owner brings one back: `/policy restore 1`."]))


async def _version(ask: Ask, version: PolicyVersion) -> str:
    if version.version == 0:
        named = ask.services.settings.policy and ask.run.workspace == HOME
        return "version 0, " + ("from RATCHET_POLICY" if named else "what I began with")
    person = await ask.services.people.get(ask.run.workspace, version.created_by)
    by = (person.name or person.id) if person else "someone"
    return f"version {version.version}, set by {one_line(by, 60)}, {when(version.created_at)}"


def _must_be_owner(ask: Ask) -> None:
    if not ask.person.role.may(Role.OWNER):
        raise Forbidden(
            f"{ask.person.id} may not set the policy",
            said=f"The policy is set by owners; you are a {ask.person.role.value}.",
        )


COMMAND = Command(
    "policy",
    "Show who decides what and who is asked when; owners set it",
    policy,
    usage="[yaml | history | set YAML | restore 1]",
    examples=("/policy", "/policy restore 1"),
    more="`/policy yaml` shows it as it is written; `/policy set` takes the whole of it, in a code "
    "fence or without.",
)
