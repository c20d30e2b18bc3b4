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
        """RFC 9562 version 7: 48 bits of ms, then a 12-bit sub-ms fraction that keeps order."""
        with self._lock:
            stamp = time.time_ns() * 4096 // 1_000_000
            self._last = stamp = max(stamp, self._last + 1)
        high = (stamp >> 12 << 16) | 0x7000 | (stamp & 0xFFF)
        low = (0b10 << 62) | secrets.randbits(62)
        return str(uuid.UUID(int=(high << 64) | low))

    def token(self, size: int = 16) -> str:
        return secrets.token_hex(size)
