"""A sign of life on stderr while someone waits at a terminal; silent everywhere else."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


@contextmanager
def life_sign(doing: str) -> Iterator[None]:
    """Shows that something happens; takes itself away again."""
    if not sys.stderr.isatty():
        yield
        return
    over = threading.Event()
    turning = threading.Thread(target=_turn, args=(doing, over), daemon=True)
    turning.start()
    try:
        yield
    finally:
        over.set()
        turning.join()


def _turn(doing: str, over: threading.Event) -> None:
    frame = 0
    # Nothing flickers for what is done in a moment.
    while not over.wait(0.12 if frame else 0.25):
        sys.stderr.write(f"\r{_FRAMES[frame % len(_FRAMES)]} {doing}…")
        sys.stderr.flush()
        frame += 1
    if frame:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()
