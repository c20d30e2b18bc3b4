"""The commands' stage serves the desk too."""

from tests.commands.conftest import on

__all__ = ["on"]
