"""The tools an agent may be granted: one file each; to add one, add a file and a line here."""

from bot.agents.tools.base import Tool

TOOLS: tuple[Tool, ...] = ()
