"""/trials: what is tried now, how far it is, and how the last ones ended."""

from bot.command import Ask, Command
from bot.improve.trials import telling
from bot.model.message import Button, Reply
from bot.model.trial import WAITING, Trial, TrialStatus
from commands.data import in_list, listed

_MOST, _ENDED, _BUTTONS = 20, 5, 5
_ENDS = (TrialStatus.KEPT, TrialStatus.ROLLED_BACK, TrialStatus.STOPPED)


async def trials(ask: Ask) -> Reply:
    store, workspace = ask.services.trials, ask.run.workspace
    now = ask.services.clock.now()
    open_ones = await store.list(workspace, WAITING, _MOST)
    ended = await store.list(workspace, _ENDS, _ENDED)
    if not (open_ones or ended):
        said = "Nothing is on trial. What is approved is tried beside what is in use."
        return Reply(said, data=listed("trials", ()))
    lines = [f"- {telling.standing(trial, now)}" for trial in open_ones]
    lines = lines or ["Nothing is on trial now."]
    if ended:
        lines += ["", "Ended last:", *(f"- {telling.standing(t, now)}" for t in ended)]
    shown = tuple(_show(trial) for trial in open_ones[:_BUTTONS])
    told = listed("trials", [in_list(trial) for trial in (*open_ones, *ended)])
    return Reply("\n".join(lines), buttons=shown, data=told)


def _show(trial: Trial) -> Button:
    return Button(f"Show {trial.ref}", f"/trial {trial.ref}")


COMMAND = Command(
    "trials",
    "List what is on trial, and how the last trials ended",
    trials,
    examples=("/trials",),
)
