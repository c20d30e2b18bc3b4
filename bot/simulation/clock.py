"""Simulated time and ids: a seed gives the same ones every time."""

from bot.clock import version7
from bot.llm.simulated.chance import code

BEGIN = 1_780_000_000_000


class SimulatedClock:
    """Stands until it is moved. Times in ms since the epoch, UTC."""

    def __init__(self, now: int = BEGIN) -> None:
        self._now = float(now)

    def now(self) -> int:
        return int(self._now)

    def monotonic(self) -> float:
        return self._now / 1000

    def pass_ms(self, ms: float) -> None:
        self._now += ms

    def reach(self, at: int) -> None:
        """Never backwards."""
        self._now = max(self._now, float(at))


class SeededIds:
    """UUIDv7 ids in order, by the simulated time, less `ahead` ms: so they stay the same when the
    weeks that are played are others."""

    def __init__(self, clock: SimulatedClock, seed: int, ahead: int = 0) -> None:
        self._clock, self._seed, self._ahead = clock, seed, ahead
        self._last = self._made = 0

    def run_id(self) -> str:
        self._last = stamp = max(self._clock.now() - self._ahead << 12, self._last + 1)
        return version7(stamp, int(self._next(16), 16) & (2**62 - 1))

    def token(self, size: int = 16) -> str:
        return self._next(2 * size)

    def _next(self, digits: int) -> str:
        self._made += 1
        return code("id", self._seed, self._made, size=digits)
