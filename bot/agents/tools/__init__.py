"""The tools an agent may be granted: one file each; to add one, add a file and a line here."""

from bot.agents.tools.base import Tool
from bot.agents.tools.calculator import calculator
from bot.agents.tools.date_and_time import date_and_time
from bot.agents.tools.http_fetch import http_fetch
from bot.agents.tools.make_file import make_file
from bot.agents.tools.recall import recall
from bot.agents.tools.remember import remember
from bot.agents.tools.run_history import run_history

TOOLS: tuple[Tool, ...] = (
    recall,
    remember,
    run_history,
    calculator,
    date_and_time,
    http_fetch,
    make_file,
)
