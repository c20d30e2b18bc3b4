"""From a typed line to what it says; pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.model.message import Button, Message, Sender

_UP, _DOWN = ("+", "👍"), ("-", "👎")


@dataclass(frozen=True, slots=True)
class Situation:
    """What was shown last: the buttons that a number chooses, the run that "+" and "-" rate, and
    the button whose question the next line answers."""

    buttons: Sequence[Button] = ()
    rateable: str = ""
    asking: Button | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """`text` goes to the inbox, where there is one; `hint` is for the person at once."""

    text: str = ""
    is_button: bool = False
    hint: str = ""
    situation: Situation = Situation()


def understood(line: str, now: Situation) -> Said:
    line = line.replace("\0", "").strip()
    if now.asking:
        return _answered(line, now)
    if not line:
        return Said(situation=now)
    if line.isascii() and line.isdigit() and now.buttons:
        return _pressed(int(line), now)
    if line in (*_UP, *_DOWN):
        return _rated(line in _UP, now)
    return Said(line, situation=now)


def _pressed(number: int, now: Situation) -> Said:
    count = len(now.buttons)
    if not 1 <= number <= count:
        there = "There is only button 1." if count == 1 else f"There are buttons 1 to {count}."
        return Said(hint=there, situation=now)
    button = now.buttons[number - 1]
    if button.asks:
        hint = f"{button.asks} (an empty line takes it back)"
        return Said(hint=hint, situation=replace(now, asking=button))
    return Said(button.command, True, situation=now)


def _answered(line: str, now: Situation) -> Said:
    button, now = now.asking, replace(now, asking=None)
    if button is None or not line:
        return Said(hint="Nothing done.", situation=now)
    return Said(f"{button.command} {line}", True, situation=now)


def _rated(well: bool, now: Situation) -> Said:
    if not now.rateable:
        return Said(hint="There is no answer to rate yet.", situation=now)
    return Said(f"/rate {now.rateable} {'up' if well else 'down'}", True, situation=now)


def message(said: Said, workspace: str, session: str, event_id: str) -> Message:
    return Message(
        workspace=workspace,
        channel="console",
        event_id=event_id,
        conversation=f"console:{session}",
        sender=Sender("owner", "owner", trusted_local=True),
        text=said.text,
        is_button=said.is_button,
    )
