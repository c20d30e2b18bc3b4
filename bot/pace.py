"""How often someone may speak: a sliding window, so that two bots never talk on and on."""

from collections import OrderedDict, deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Literal

from bot.ports.clock import Clock

Verdict = Literal["yes", "notice", "no"]

_KEYS = 5_000
_EVENTS = 10_000


@dataclass(slots=True)
class _Lately:
    taken: deque[float] = field(default_factory=deque)
    refused: float | None = None


class Pace:
    """At most `limit` of a key within any `seconds`; bounded memory, nothing kept over a restart.

    "notice" is the first refusal after a while without one: whoever is refused is told so once.
    """

    def __init__(self, limit: int, seconds: float, clock: Clock) -> None:
        self._limit, self._seconds, self._clock = limit, seconds, clock
        self._keys: OrderedDict[Hashable, _Lately] = OrderedDict()
        self._events: OrderedDict[str, Verdict] = OrderedDict()

    def allow(self, key: Hashable, event: str = "") -> Verdict:
        """`event` names the delivery: what is delivered again counts once and is judged alike."""
        if event and event in self._events:
            return self._events[event]
        verdict = self._judge(key)
        if event:
            # Told once, also where the same is delivered again
            self._events[event] = "no" if verdict == "notice" else verdict
            if len(self._events) > _EVENTS:
                self._events.popitem(last=False)
        return verdict

    def _judge(self, key: Hashable) -> Verdict:
        now = self._clock.monotonic()
        lately = self._keys.setdefault(key, _Lately())
        self._keys.move_to_end(key)
        if len(self._keys) > _KEYS:
            self._keys.popitem(last=False)
        while lately.taken and lately.taken[0] <= now - self._seconds:
            lately.taken.popleft()
        if len(lately.taken) < self._limit:
            lately.taken.append(now)
            return "yes"
        told = lately.refused is not None and lately.refused > now - self._seconds
        lately.refused = now
        return "no" if told else "notice"
