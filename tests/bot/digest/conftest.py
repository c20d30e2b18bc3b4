"""The stage of the commands: real stores, a small cast."""

from tests.commands.conftest import on

__all__ = ["on"]
