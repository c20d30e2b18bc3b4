"""Time and chance, injected so that tests can hold them."""

from typing import Protocol


class Clock(Protocol):
    def now(self) -> int:
        """Milliseconds since the epoch, UTC."""

    def monotonic(self) -> float:
        """Seconds that never go backwards and go on while the process is paused."""


class Ids(Protocol):
    def run_id(self) -> str:
        """A new UUIDv7, greater than every earlier one of this process."""

    def token(self, size: int = 16) -> str:
        """`size` random bytes in hex."""
