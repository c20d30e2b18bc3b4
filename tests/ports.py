"""Ports that a test hands to a process, which binds them a while later, and again after a restart."""

import random
import socket
from contextlib import closing

_BELOW_THE_SYSTEMS = range(12_000, 32_000)
"""Where no connection of anybody's gets its own end's port from: those begin at 32768."""


def free_port() -> int:
    while True:
        port = random.SystemRandom().choice(_BELOW_THE_SYSTEMS)
        with closing(socket.socket()) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
