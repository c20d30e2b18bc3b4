"""Which request was followed by the same person's next one within minutes; pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from bot.improve.outcome import JUDGE, WHILE
from bot.model.run import RunStatus

_DONE = RunStatus.SUCCEEDED.value


class Asked(NamedTuple):
    """What is read of a closed run."""

    id: str
    created_at: int
    scored_at: int
    status: str
    finished_at: int
    conversation: str
    person: str
    y: float | None
    source: str


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Run ids; the first was answered and nobody has spoken of it yet."""

    first: str
    then: str


def fold(known: dict[str, Any], page: Iterable[Asked]) -> list[FollowUp]:
    """Closed runs by id. `known` keeps the last run of each person and conversation as long as
    something may follow it: {place: [id, ended at]}."""
    found: list[FollowUp] = []
    newest = 0
    for run in page:
        place = f"{run.conversation}\x1f{run.person}"
        newest = max(newest, run.created_at)
        if (last := known.pop(place, None)) and 0 <= run.created_at - last[1] <= WHILE:
            found.append(FollowUp(last[0], run.id))
        if run.status == _DONE and (run.y is None or run.source == JUDGE):
            known[place] = [run.id, run.finished_at or run.created_at]
    for place in [p for p, (_, ended) in known.items() if ended < newest - WHILE]:
        del known[place]
    return found
