"""The real clock and the ids: the one place that asks the machine for time or chance."""

import secrets
import threading
import time
import uuid


class SystemClock:
    """Wall and monotonic time of this machine."""

    def now(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()


class SystemIds:
    """UUIDv7 run ids that never go backwards within a process, and random tokens."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def run_id(self) -> str:
        with self._lock:
            stamp = time.time_ns() * 4096 // 1_000_000
            self._last = stamp = max(stamp, self._last + 1)
        return version7(stamp, secrets.randbits(62))

    def token(self, size: int = 16) -> str:
        return secrets.token_hex(size)


def version7(stamp: int, chance: int) -> str:
    """RFC 9562: `stamp` is 48 bits of ms and 12 of a fraction that keeps order, `chance` 62 bits."""
    high = (stamp >> 12 << 16) | 0x7000 | (stamp & 0xFFF)
    low = (0b10 << 62) | chance
    return str(uuid.UUID(int=(high << 64) | low))
