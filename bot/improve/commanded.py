"""Commands that people say and that there are none of: read as they come, for mining to tell of."""

from bot.improve.forecast import known_of
from bot.improve.gaps import Asked, Gap, Gaps
from bot.ports.clock import Clock
from bot.ports.stores import Evidence, State, States

NAME = "mining.commands"
_SETTLE_MS, _BACK_MS = 60_000, 3_600_000
_PAGE = 1_000


class Commanded:
    """Reads those said after the last that was read. Where the clock has gone back behind that, it
    goes on an hour before."""

    def __init__(self, states: States, evidence: Evidence, clock: Clock) -> None:
        self._states, self._evidence, self._clock = states, evidence, clock

    async def read(self, workspace: str, since: int) -> int:
        """Folds what is new, and said after `since` (ms), into the state; how many there were."""
        before = await self._states.get(workspace, NAME)
        gaps = Gaps(known_of(before.state).get("gaps"))
        until = self._clock.now() - _SETTLE_MS
        mark = _mark(before.watermark)
        mark = max(mark if mark[0] <= until else (until - _BACK_MS, ""), (since, ""))
        read, more = 0, True
        while more:
            page = await self._evidence.unknown_commands(workspace, mark, until, _PAGE)
            for run, at, conversation, person, said in page:
                mark = (at, run)
                if "," not in said:  # else it says what was probably meant: a slip
                    asked = Asked(run, "", "", conversation, person, "", "", "", "", at)
                    gaps.commanded(said.strip(), asked)
            read, more = read + len(page), len(page) == _PAGE
        if read:
            after = State(f"{mark[0]}:{mark[1]}", {"known": {"gaps": gaps.dump()}})
            await self._states.move(workspace, NAME, before, after, self._clock.now())
        return read

    async def found(self, workspace: str, since: int) -> tuple[list[Gap], int]:
        """What is worth telling, and the revision of what it is told from."""
        kept = await self._states.get(workspace, NAME)
        return Gaps(known_of(kept.state).get("gaps")).found(since), kept.revision


def _mark(watermark: str) -> tuple[int, str]:
    at, _, id = watermark.partition(":")
    return (int(at), id) if at.isdigit() else (0, "")
