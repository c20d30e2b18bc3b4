"""The parts of a running Ratchet, each made once from the settings, the stores and the doors."""

from bot.assembly.kept import Doors, Stores
from bot.assembly.parts import Parts

__all__ = ["Doors", "Parts", "Stores"]
