"""How much each chat may be told now: the pauses Telegram asked for, and a group's share."""

from collections import OrderedDict, deque

from bot.ports.clock import Clock

_CHATS = 2_000
_MINUTE = 60.0
_BETWEEN = 3.5
"""Seconds between two changes of what grows in a group."""
_SHARE = 14
"""Messages and edits a minute in a group before what grows waits: Telegram allows about 20, and
the answers themselves must get through."""


class Pauses:
    """Of this process alone; another node learns of a limit by meeting it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: OrderedDict[object, float] = OrderedDict()
        self._everywhere = 0.0
        self._spoken: OrderedDict[object, deque[float]] = OrderedDict()

    def rest(self, chat: object) -> float:
        """Seconds to say nothing there; 0 where it may be spoken."""
        until = max(self._everywhere, self._until.get(str(chat), 0.0))
        return max(0.0, until - self._clock.monotonic())

    def throttled(self, chat: object, seconds: float) -> None:
        """Telegram asked for a pause. It doesn't say whether it means the chat or the bot: one
        chat alone is taken for the chat, a second one for the bot."""
        now = self._clock.monotonic()
        others = [until for key, until in self._until.items() if key != str(chat)]
        if any(until > now for until in others):
            self._everywhere = max(self._everywhere, now + seconds)
        self._until[str(chat)] = now + seconds
        self._until.move_to_end(str(chat))
        if len(self._until) > _CHATS:
            self._until.popitem(last=False)

    def spoke(self, chat: object) -> None:
        """A message was shown there or changed."""
        times = self._spoken.setdefault(str(chat), deque(maxlen=_SHARE))
        times.append(self._clock.monotonic())
        self._spoken.move_to_end(str(chat))
        if len(self._spoken) > _CHATS:
            self._spoken.popitem(last=False)

    def until_change(self, chat: object) -> float:
        """Seconds until something that only grows may be shown or changed in a group."""
        now = self._clock.monotonic()
        times = self._spoken.get(str(chat))
        wait = self.rest(chat)
        if times:
            wait = max(wait, times[-1] + _BETWEEN - now)
        if times and len(times) == _SHARE:
            wait = max(wait, times[0] + _MINUTE - now)
        return wait
