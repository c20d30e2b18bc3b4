"""The command table: what is a command, and which one was meant."""

import pytest

from bot.command import CommandTable
from bot.model.person import Role
from commands import COMMANDS

TABLE = CommandTable(COMMANDS)


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("/help", ("help", "")),
        ("  /better be brief\nplease ", ("better", "be brief\nplease")),
        ("/save_workflow x", ("save-workflow", "x")),
        ("/HELP", ("help", "")),
        ("/help@ratchet_bot better", ("help", "better")),
        ("!approve P1", ("approve", "P1")),
        ("!aprove P1", ("aprove", "P1")),
        ("/nonsense at all", ("nonsense", "at all")),
        ("!important: call me", None),
        ("!wow that is nice", None),
        ("/usr/bin/env is missing", None),
        ("// comment", None),
        ("/ help", None),
        ("help", None),
        ("5/6 of it", None),
        ("", None),
    ],
)
def test_what_is_a_command(text: str, parsed: tuple[str, str] | None) -> None:
    assert TABLE.parse(text) == parsed


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("hlep", "help"),
        ("aprove", "approve"),
        ("metrcs", "metrics"),
        ("save-work", "save-workflow"),
    ],
)
def test_the_closest_is_named(typed: str, meant: str) -> None:
    assert TABLE.lookup(typed) is None
    assert TABLE.closest(typed) == meant


def test_nothing_is_close_to_nonsense_and_hidden_ones_are_not_named() -> None:
    assert TABLE.closest("qqqqqq") is None
    assert TABLE.closest("clam") != "claim"


def test_hyphens_underscores_and_case_are_the_same() -> None:
    assert TABLE.lookup("Save_Workflow") is TABLE.lookup("/save-workflow")


def test_one_name_is_one_command() -> None:
    with pytest.raises(ValueError, match="help"):
        CommandTable([*COMMANDS, COMMANDS[0].__class__("help", "", COMMANDS[0].run)])


def test_a_role_sees_what_it_may_say() -> None:
    guest = {c.name for c in TABLE.allowed(Role.GUEST)}
    member = {c.name for c in TABLE.allowed(Role.MEMBER)}
    owner = {c.name for c in TABLE.allowed(Role.OWNER)}
    assert guest == {"help", "stop", "link", "pause", "resume"}
    assert "approve" not in member
    assert guest < member < owner
    assert not {"claim", "rate", "retry"} & owner


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.name)
def test_every_command_explains_itself(command: object) -> None:
    found = next(c for c in COMMANDS if c is command)
    assert found.help and not found.help.endswith(".")
    assert found.examples
    for example in found.examples:
        parsed = TABLE.parse(example)
        assert parsed is not None
        assert TABLE.lookup(parsed[0]) is found
