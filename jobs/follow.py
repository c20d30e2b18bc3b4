"""How a detector reads the log: what came since its mark, each run once, in pages.

A detector is a fold: `step(state, runs)` changes its state, a dict of JSON values, and returns what
it has seen. State and mark are written together by compare-and-set, after its findings: a job that
is killed in between raises the same findings again, which changes nothing, and folds nothing twice.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Any, Generic, Protocol, TypeVar

from bot.improve.detect.seen import Seen, merged
from bot.ports.stores import R, Row, State
from bot.services import Services

Known = dict[str, Any]
"""What a detector knows, as JSON values; under a megabyte, for it is written at every save."""

Step = Callable[[Known, Sequence[R]], Awaitable[Iterable[Seen]]]

_HEX = re.compile(r"[0-9a-f]{12}", re.ASCII)
# Ids are made before their rows are committed: what is younger may still get a neighbour before it.
_SETTLE_MS, _AHEAD_MS = 5_000, 60_000
_BACK_MS = 3_600_000
_OPEN_DAYS = 3
_MOST_OPEN = 10_000
_AT_ONCE = 500  # runs folded before others have their turn: some milliseconds
_SCORED = re.compile(r"(\d+):(.*)\Z", re.ASCII)


async def follow(
    services: Services,
    workspace: str,
    name: str,
    row: type[R],
    step: Step[R],
    *,
    scored: bool = False,
    page: int = 4_000,
    pages: int = 12,
) -> int:
    """Folds what is new into the state called `name`; returns how many runs that was.

    Runs come as a `row` of what is read of each, when they are closed, in the order in which they
    were asked; with `scored`, when they got their first outcome, in that order. What is known is
    saved every `pages` of `page` runs. Another node that folds the same at the same time wins or
    loses as a whole.
    """
    count = 0
    while True:
        before = await services.states.get(workspace, name)
        known: Known = before.state.get("known") or {}  # type: ignore[assignment]
        source = _Scored if scored else _Closed
        reader: _Reader[R] = source(row, services, workspace, before, page)
        seen: list[Seen] = []
        read, more = 0, True
        for _ in range(pages):
            runs, more = await reader.page()
            if new := await step(known, runs):
                seen = merged((*seen, *new))
            read += len(runs)
            if not more:
                break
        await _tell(services, workspace, seen)
        after = State(reader.mark, {"known": known, "open": reader.open})
        still = not read and reader.mark == before.watermark
        if not still and not await services.states.move(
            workspace, name, before, after, services.clock.now()
        ):
            return count
        count += read
        if not more:
            return count


def by(fold: Callable[[Known, Sequence[R]], Iterable[Seen]]) -> Step[R]:
    """The step of a detector that reads nothing but the runs."""

    async def step(known: Known, page: Sequence[R]) -> Sequence[Seen]:
        seen: list[Seen] = []
        async for runs in in_turns(page):
            seen += fold(known, runs)
        return seen

    return step


async def in_turns(page: Sequence[R], at_once: int = _AT_ONCE) -> AsyncIterator[Sequence[R]]:
    """A few at a time: whoever folds a long page holds up all that people say meanwhile."""
    for start in range(0, len(page), at_once):
        yield page[start : start + at_once]
        await asyncio.sleep(0)


async def _tell(services: Services, workspace: str, seen: Iterable[Seen]) -> None:
    now = services.clock.now()
    found = [one.finding(workspace, services.ids.run_id(), now) for one in merged(seen)]
    await services.findings.raise_all(workspace, found)


S = TypeVar("S", bound=Row, covariant=True)


class _Reader(Protocol[S]):
    """`mark` is the last run that was read; `open` the runs before it that were not closed."""

    mark: str
    open: list[str]

    async def page(self) -> tuple[Sequence[S], bool]:
        """The next runs, and whether there may be more."""


class _Closed(Generic[R]):
    """By id. A run that is still open is looked up again each time, for three days.

    Ids never go back while a process lives. Where they have gone back since (it began anew with
    an earlier clock), reading goes on an hour before them, and what is ahead of them waits until
    its time has come: a run may then be read twice, none is left out.
    """

    def __init__(
        self, row: type[R], services: Services, workspace: str, before: State, size: int
    ) -> None:
        self._row, self._services, self._workspace, self._size = row, services, workspace, size
        self._now = services.ids.run_id()
        self.mark = before.watermark
        if _ms(self.mark) > _ms(self._now) + _AHEAD_MS:
            self.mark = _floor(_ms(self._now) - _BACK_MS)
        self.open: list[str] = list(before.state.get("open") or ())  # type: ignore[call-overload]
        self._looked = False

    async def page(self) -> tuple[Sequence[R], bool]:
        late = () if self._looked or not self.open else await self._late()
        self._looked = True
        if late:
            return late, True
        now = self._services.clock.now()
        young = (now - _SETTLE_MS, now + _AHEAD_MS)
        page, still_open = await self._services.evidence.closed(
            self._workspace, self._row, self.mark, self._now, young, self._size
        )
        self.open = [*self.open, *still_open][-_MOST_OPEN:]
        self.mark = max((self.mark, *(run.id for run in page[-1:]), *still_open[-1:]))
        return page, len(page) + len(still_open) == self._size

    async def _late(self) -> Sequence[R]:
        late = await self._services.evidence.of_ids(self._workspace, self._row, self.open)
        done = {run.id for run in late}
        since = _floor(_ms(self._now) - _OPEN_DAYS * 86_400_000)
        self.open = [id for id in self.open if id not in done and id > since]
        return late


class _Scored(Generic[R]):
    """By the time of the first outcome. Where the clock has gone back behind the mark, reading
    goes on an hour before it."""

    def __init__(
        self, row: type[R], services: Services, workspace: str, before: State, size: int
    ) -> None:
        self._row, self._services, self._workspace, self._size = row, services, workspace, size
        self._until = services.clock.now() - _SETTLE_MS
        self.mark, self.open = before.watermark, list[str]()
        if _at(self.mark)[0] > self._until:
            self.mark = f"{self._until - _BACK_MS}:"

    async def page(self) -> tuple[Sequence[R], bool]:
        page = await self._services.evidence.scored(
            self._workspace, self._row, _at(self.mark), self._until, self._size
        )
        if page:
            self.mark = f"{page[-1].scored_at}:{page[-1].id}"
        return page, len(page) == self._size


def _at(mark: str) -> tuple[int, str]:
    found = _SCORED.match(mark)
    return (int(found[1]), found[2]) if found else (0, "")


def _ms(id: str) -> int:
    """When a UUIDv7 was made."""
    digits = _HEX.match(id.replace("-", ""))
    return int(digits[0], 16) if digits else 0


def _floor(ms: int) -> str:
    """Before every id made at this ms or later."""
    digits = f"{max(0, ms):012x}"
    return f"{digits[:8]}-{digits[8:]}-7000-8000-000000000000"
