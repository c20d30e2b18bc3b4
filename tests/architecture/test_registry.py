"""What is in a folder is in its list, and says what it is."""

from pathlib import Path

import pytest
import yaml

from bot.agents.tools import TOOLS
from bot.command import Command
from commands import COMMANDS
from handlers import CHANNELS
from jobs import SCHEDULE
from tests.architecture.reference import PATH, reference
from tests.architecture.source import ROOT, sources

SLASH_LIMIT = 32


def _defines(folder: str, *marks: str) -> set[str]:
    """The files of a folder that hold one of what it is a folder of."""
    return {
        Path(source.name).stem
        for source in sources(folder)
        if Path(source.name).parent == Path(folder) and any(m in source.text for m in marks)
    }


def _manifest() -> dict[str, dict[str, str]]:
    manifest = yaml.safe_load((ROOT / "manifest.yml").read_text("utf-8"))
    return {entry["command"]: entry for entry in manifest["features"]["slash_commands"]}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.name)
def test_every_command_says_what_it_does(command: Command) -> None:
    assert command.help and command.help[0].isupper() and not command.help.endswith(".")
    assert command.examples, "a person learns from an example"
    names = {command.name, *command.aliases}
    for example in command.examples:
        said = example.split()[0].lstrip("/!").replace("_", "-")
        assert said in names, example


def test_every_file_in_commands_is_in_the_list() -> None:
    files = _defines("commands", "COMMAND = Command(", "return Command(")
    listed = {command.name.replace("-", "_") for command in COMMANDS}
    assert files - listed == set()


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.slash], ids=lambda c: c.name)
def test_every_slash_command_is_in_the_manifest(command: Command) -> None:
    entry = _manifest()[f"/{command.name}"]
    assert len(entry["command"]) <= SLASH_LIMIT
    assert entry["description"]


def test_the_manifest_promises_no_command_that_is_not_there() -> None:
    known = {f"/{command.name}" for command in COMMANDS if command.slash}
    assert set(_manifest()) == known


def test_every_command_is_told_in_a_test() -> None:
    told = "\n".join(s.text for s in sources("tests") if not s.name.startswith("tests/architec"))
    silent = [
        c.name
        for c in COMMANDS
        if f"/{c.name}" not in told and f"/{c.name.replace('-', '_')}" not in told
    ]
    assert not silent


def test_every_job_is_in_the_schedule() -> None:
    files = {n for n in _defines("jobs", "async def ") if n not in {"job", "scheduler", "follow"}}
    assert files == {name.replace("-", "_") for name in SCHEDULE}


def test_every_channel_is_in_the_list() -> None:
    folders = {path.parent.name for path in (ROOT / "handlers").glob("*/channel.py")}
    # The console belongs to whoever owns the terminal, and is made there.
    assert folders - {"console"} == set(CHANNELS)
    for name, entry in CHANNELS.items():
        assert entry.module == f"handlers.{name}.channel"
    for name in folders:
        assert {"incoming.py", "outgoing.py"} <= {
            path.name for path in (ROOT / "handlers" / name).iterdir()
        }


def test_every_tool_is_listed() -> None:
    files = {
        tree.name
        for tree in sources("bot/agents/tools")
        if "@tool" in tree.text and not tree.name.endswith("base.py")
    }
    names = [tool.name for tool in TOOLS]
    assert len(names) == len(set(names)) == len(files)


def test_the_reference_is_current() -> None:
    assert PATH.read_text("utf-8") == reference(), "make docs"


def test_the_changelog_tells_of_this_version() -> None:
    version = next(
        line.split('"')[1]
        for line in (ROOT / "pyproject.toml").read_text("utf-8").splitlines()
        if line.startswith("version = ")
    )
    assert f"\n## {version}\n" in (ROOT / "CHANGELOG.md").read_text("utf-8")
