"""What was said in a conversation before a run, and the files that came with it last."""

from collections.abc import Sequence

from bot.files import intake, names
from bot.model.agent import AgentVersion
from bot.model.file import Taken
from bot.model.message import Turn
from bot.model.run import Run
from bot.ports.stores import Runs

_FILES = 3


async def before(
    runs: Runs, run: Run, version: AgentVersion, *, long_ago: bool = False
) -> tuple[list[Turn], list[Taken]]:
    """As many turns as the version looks at, and the last few files, both oldest first.
    `long_ago` says that the run is over: what came after it is left out."""
    if run.history:
        return list(run.history), []
    if run.single:
        return [], []
    limit, until = version.limits.history // 2, run.id if long_ago else ""
    found = await runs.history(run.workspace, run.conversation, limit, until)
    turns: list[Turn] = []
    for earlier in found:
        sent = "".join(f"\n[sent {names.safe(file.name)}]" for file in earlier.files)
        turns += [("user", earlier.message + sent), ("assistant", earlier.answer)]
    return turns, await _files(runs, [earlier for earlier in found if earlier.files])


async def _files(runs: Runs, sent: Sequence[Run]) -> list[Taken]:
    """No more runs are read than they came with."""
    files: list[Taken] = []
    for run in reversed(sent):
        if len(files) >= _FILES:
            break
        files = [*intake.of_steps(await runs.steps(run.workspace, run.id)), *files]
    return files[-_FILES:]
