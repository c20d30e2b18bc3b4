"""Writes docs/reference/README.md from the code: `make docs`."""

from bot.agents.tools import TOOLS
from bot.config import names
from bot.model.job import Schedule
from bot.model.words import duration
from commands import COMMANDS
from jobs import SCHEDULE
from tests.architecture.source import ROOT

PATH = ROOT / "docs" / "reference" / "README.md"

_HEAD = """# Reference

Written from the code by `make docs`; a test holds it current.

"""

_SETTINGS = """## Settings

From the environment, or from a file `.env` in the folder where Ratchet is started; the environment
wins. An empty value is the same as none. An unknown `RATCHET_…` name or a malformed value is named,
with its line, before anything starts.

| name | what it says | default |
|---|---|---|
"""

_COMMANDS = """
## Commands

Said in any channel: `/name …`, or `!name …` where the platform keeps the slash for itself. An underscore is
as good as a hyphen. The role is the least that may say it: guest, member, approver or owner.

| command | what it does | role | in Slack's own menu | for example |
|---|---|---|---|---|
"""

_JOBS = """
## Jobs

`/jobs` lists them in the chat with their last run, pauses and resumes them; `ratchet job NAME` runs
one now.

| job | when |
|---|---|
"""

_TOOLS = """
## Tools

An agent has only those that its version grants.

| tool | what it does |
|---|---|
"""

_END = """
The HTTP API has [a page of its own](http.md).
"""


def reference() -> str:
    """The whole page, as it should stand in the file."""
    parts = (
        _HEAD,
        _SETTINGS,
        _settings(),
        _COMMANDS,
        _commands(),
        _JOBS,
        _jobs(),
        _TOOLS,
        _tools(),
    )
    return "".join((*parts, _END))


def _settings() -> str:
    return "".join(
        f"| `{name}` | {_cell(says)} | {_default(default)} |\n" for name, says, default in names()
    )


def _default(value: object) -> str:
    if value in (None, ""):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _commands() -> str:
    return "".join(
        f"| `{_cell(f'/{c.name} {c.usage}'.strip())}` | {_cell(c.help)} | {c.role.value} | "
        f"{'yes' if c.slash else ''} | {'<br>'.join(f'`{_cell(e)}`' for e in c.examples)} |\n"
        for c in sorted(COMMANDS, key=lambda c: c.name)
    )


def _jobs() -> str:
    return "".join(
        f"| `{name}` | {_cell(_when(job.schedule))} |\n" for name, job in sorted(SCHEDULE.items())
    )


def _when(schedule: Schedule) -> str:
    if schedule.cron:
        return f"at `{schedule.cron}` (cron, UTC)"
    return f"every {duration(schedule.every_seconds * 1000)}"


def _tools() -> str:
    return "".join(f"| `{tool.name}` | {_first(tool.spec.description)} |\n" for tool in TOOLS)


def _first(text: str) -> str:
    """Its first paragraph."""
    return _cell(text.partition("\n\n")[0])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def main() -> None:
    PATH.write_text(reference(), encoding="utf-8")
    print(f"{PATH.relative_to(ROOT)}: {len(names())} settings, {len(COMMANDS)} commands")


if __name__ == "__main__":
    main()
