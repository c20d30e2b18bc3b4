"""What is spent, as the database says, and what this process has spent since it was asked."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from bot.ports.clock import Clock
from bot.ports.stores import Budgets

Key = tuple[str, str, str]
"""(scope, key, period label), the name of a counter within its workspace."""

_RECORD_WITHIN = 2.0  # seconds from the end of a call to the commit of its step


@dataclass(slots=True)
class _Unrecorded:
    run_id: str
    workspace: str
    keys: Sequence[Key]
    usd: float
    at: float


class Counters:
    """`keep` is how many seconds a counter that was read is believed; 0 reads every time."""

    def __init__(self, store: Budgets, clock: Clock, *, keep: float) -> None:
        self._store, self._clock, self._keep = store, clock, keep
        self._known: dict[str, dict[Key, tuple[float, float]]] = defaultdict(dict)
        self._unrecorded: list[_Unrecorded] = []

    def known(self, workspace: str, key: Key) -> float:
        return self._known[workspace].get(key, (0.0, 0.0))[0]

    async def read(self, workspace: str, keys: Sequence[Key]) -> dict[Key, float]:
        """One query for all that isn't known or is too old, none where everything is."""
        now, known = self._clock.monotonic(), self._known[workspace]
        self._unrecorded = [u for u in self._unrecorded if now - u.at < _RECORD_WITHIN]
        stale = [k for k in keys if k not in known or self._too_old(now - known[k][1])]
        if stale:
            waiting = list(self._unrecorded)
            found = await self._store.spent(workspace, stale)
            came = [u for u in self._unrecorded if u not in waiting]
            _drop_other_periods(known, stale)
            for key in stale:
                unseen = (u for u in (*waiting, *came) if u.workspace == workspace)
                usd = found.get(key, 0.0) + sum(u.usd for u in unseen if key in u.keys)
                # Whoever read it meanwhile may have added to it since; counters only rise.
                read_again = key in known and known[key][1] >= now
                known[key] = (max(usd, known[key][0]) if read_again else usd, now)
        return {key: known[key][0] for key in keys}

    def _too_old(self, age: float) -> bool:
        """A process alone knows best while its own costs are on their way to the database."""
        return age >= self._keep and not (self._keep and self._unrecorded)

    def add(self, workspace: str, run_id: str, keys: Sequence[Key], usd: float) -> None:
        now, known = self._clock.monotonic(), self._known[workspace]
        for key in keys:
            if key in known:
                spent, read_at = known[key]
                known[key] = (spent + usd, read_at)
        self._unrecorded.append(_Unrecorded(run_id, workspace, keys, usd, now))

    def recorded(self, run_id: str) -> None:
        if self._unrecorded:
            self._unrecorded = [u for u in self._unrecorded if u.run_id != run_id]

    def forget(self, workspace: str, keys: Sequence[Key]) -> None:
        for key in keys:
            self._known[workspace].pop(key, None)

    def forget_all(self, workspace: str) -> None:
        self._known.pop(workspace, None)


def _drop_other_periods(known: dict[Key, tuple[float, float]], asked: Sequence[Key]) -> None:
    """Yesterday's counters and last month's would only fill the memory."""
    periods = {period for _, _, period in asked}
    if len(known) > 1000:
        for key in [k for k in known if k[2] not in periods]:
            del known[key]
