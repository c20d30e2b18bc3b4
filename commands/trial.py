"""/trial: one trial with its numbers and a picture of the bet on it; or its end by hand."""

import re

import structlog

from bot.command import Ask, Command
from bot.errors import NotFound
from bot.improve.trials import telling
from bot.improve.trials.figures import read
from bot.model.message import Button, Picture, Reply
from bot.model.person import Role
from bot.model.trial import WAITING, Trial
from bot.model.words import one_line
from bot.pictures import of_wealth
from commands.data import of_trial
from commands.parsing import first_word, wrong

log = structlog.get_logger()

_REF = re.compile(r"#?[Tt]?(\d{1,9})[.,:]?\Z", re.ASCII)


async def trial(ask: Ask) -> Reply:
    first, rest = first_word(ask.args)
    typed = _REF.match(first)
    if typed is None:
        open_ones = await ask.services.trials.list(ask.run.workspace, WAITING, 1)
        hint = f" The latest is {open_ones[0].ref}." if open_ones else ""
        raise wrong(ask, COMMAND, f"Say which trial.{hint}")
    found = await ask.services.trials.get(ask.run.workspace, typed[1])
    if found is None:
        raise NotFound(
            f"no trial {typed[1]}", said=f"I know no trial T{int(typed[1])}. /trials lists them."
        )
    doing, why = first_word(rest)
    if doing.lower() == "stop":
        return await _stopped(ask, found, why)
    if doing:
        raise wrong(ask, COMMAND, f"{one_line(doing, 20)} can't be done with a trial.")
    now = ask.services.clock.now()
    return Reply(
        telling.details(found, now),
        buttons=_buttons(ask, found),
        picture=await _picture(found),
        data={"trial": of_trial(found)},
    )


async def _stopped(ask: Ask, found: Trial, why: str) -> Reply:
    # Cut off in between, the trial has ended and the change isn't taken back yet.
    mine = found.reason == telling.BY_HAND and found.numbers.get("by") == ask.person.id
    if found.status not in WAITING and not mine:
        return Reply(f"{found.ref} has ended already: {telling.in_short(found)}.")
    desk = ask.services.desk
    proposal = await desk.rollback(ask.run.workspace, found.proposal, ask.person, why)
    ended = await ask.services.trials.get(ask.run.workspace, found.ref) or found
    said = f"⏹️ {found.ref} is stopped, and {proposal.ref} with it. {proposal.reason}"
    return Reply(said, data={"trial": of_trial(ended)})


def _buttons(ask: Ask, found: Trial) -> tuple[Button, ...]:
    show = Button(f"Show {found.proposal}", f"/proposals {found.proposal}")
    if found.status in WAITING and ask.person.role.may(Role.APPROVER):
        return (show, Button("Stop it", f"/trial {found.ref} stop", "danger", asks="Why?"))
    return (show,)


async def _picture(found: Trial) -> Picture | None:
    figures = read(found.numbers)
    if len(figures.path) < 2:
        return None
    title = f"{found.ref} {found.title}"
    try:
        png = await of_wealth(title, figures.path, figures.promote_at, figures.roll_back_at)
    except Exception:
        # The picture is an extra: whatever keeps it from being drawn, the numbers are told.
        log.exception("picture_not_drawn")
        return None
    return Picture(png, f"How the bets on {one_line(title, 80)} have gone, run by run")


COMMAND = Command(
    "trial",
    "Show a trial with its numbers and picture, or stop it",
    trial,
    usage="T3 [stop [reason]]",
    examples=("/trial T3", "/trial T3 stop we changed our minds"),
    more="To stop one takes an approver: the change is taken back, and what is in use stays.",
    in_order=False,
)
